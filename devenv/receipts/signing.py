"""Signatures of receipts, made and checked by ssh-keygen.

Source: ssh-keygen(1), options -Y; PROTOCOL.sshsig of OpenSSH for the fingerprint.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from devenv.errors import CommandError, DevenvError, UsageError
from devenv.project import Project
from devenv.receipts.receipt import LOCAL, SSH, Receipt, Signature
from devenv.shell import Runner

# A signature for another purpose, such as a commit's, is none for a receipt.
NAMESPACE = "devenv-receipt"
VARIABLE = "DEVENV_RECEIPT_KEY"


def key_of(project: Project) -> Path | None:
    """The private key to sign with: the environment's, else that of devenv.toml; None without either."""
    return _path(project, os.environ.get(VARIABLE) or project.config.receipts.key)


def sign(text: str, key: Path, runner: Runner) -> Signature:
    """Sign with an SSH key, or with the agent that holds it; raises DevenvError where that is refused."""
    if not key.is_file():
        raise UsageError(f"the key for receipts, `{key}`, does not exist",
                         f"mend `receipts.key` in devenv.toml or {VARIABLE}; "
                         f"`ssh-keygen -t ed25519 -f {key}` makes a key")
    try:
        value = runner.read("ssh-keygen", "-Y", "sign", "-n", NAMESPACE, "-f", str(key), stdin=text)
    except CommandError as failure:
        raise DevenvError(f"the receipt could not be signed with `{key}`: {failure.output or failure.status}",
                          "see that it is a private SSH key which you may read") from None
    return Signature(SSH, fingerprint(value), value)


def verify(project: Project, receipt: Receipt, runner: Runner) -> str:
    """Why the signature is not good enough for this project; empty where it is."""
    signature, allowed = receipt.signature, _path(project, project.config.receipts.allowed_signers)
    if allowed and not allowed.is_file():
        raise UsageError(f"`{allowed}` does not exist", "mend `receipts.allowed_signers` in devenv.toml; its format is "
                         "that of ssh-keygen's allowed signers file: one `name key` a line")
    if signature.kind == LOCAL:
        return f"it is not signed, and only those in `{allowed.name}` may vouch for one" if allowed else ""
    if signature.kind != SSH:
        return f"its signature is of an unknown kind: {signature.kind}"
    if fingerprint(signature.value) != signature.key_id:
        return "its signature is of another key than it says"
    with TemporaryDirectory(prefix="devenv-receipt-") as scratch:
        file = Path(scratch, "signature")
        file.write_text(signature.value)
        check = ("-n", NAMESPACE, "-s", str(file))
        try:
            if allowed is None:
                runner.read("ssh-keygen", "-Y", "check-novalidate", *check, stdin=receipt.text)
                return ""
            who = runner.read("ssh-keygen", "-Y", "find-principals", "-s", str(file), "-f", str(allowed))
        except CommandError:
            if allowed is None:
                return "its signature is not one for this content"
            return f"it is signed by {signature.key_id}, whom `{allowed.name}` does not name"
        try:
            runner.read("ssh-keygen", "-Y", "verify", *check, "-f", str(allowed), "-I", who.splitlines()[0],
                        stdin=receipt.text)
        except CommandError:
            return "its signature is not one for this content, or its signer may not sign receipts"
    return ""


def fingerprint(value: str) -> str:
    """The signing key's fingerprint, from the signature itself; empty for what is no signature."""
    try:
        blob = b64decode("".join(line for line in value.splitlines() if not line.startswith("-----")))
    except ValueError:
        return ""
    # "SSHSIG", a version of four bytes, then the public key, preceded by its length.
    length = int.from_bytes(blob[10:14], "big")
    if blob[:6] != b"SSHSIG" or len(blob) < 14 + length:
        return ""
    return "SHA256:" + b64encode(sha256(blob[14 : 14 + length]).digest()).decode().rstrip("=")


def _path(project: Project, text: str) -> Path | None:
    return project.root / Path(text).expanduser() if text else None
