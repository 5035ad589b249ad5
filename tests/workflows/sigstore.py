"""Signing as a workflow where neither GitHub nor Sigstore is reached: an authority of our own issues the certificate.

cosign checks it as it checks Fulcio's: chain, workflow, issuer. Two things of Sigstore's are not played, and cosign is
told so: the log of certificates and the log of signatures. And the key lives longer than one signature.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

from devenv.doctor.programs import ensure_programs
from devenv.engine import Engine
from devenv.shell import Runner

REPOSITORY = "octocat/shop"
BRANCH = "refs/heads/main"
PASSWORD = "not-a-secret"  # of every key that the tests make
ISSUER = "https://token.actions.githubusercontent.com"
# What GitHub tells each run of ci.yml on main, and each run of what that calls.
GITHUB = {
    "GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": REPOSITORY,
    "GITHUB_REF": BRANCH, "GITHUB_RUN_ID": "1",
    "GITHUB_WORKFLOW_REF": f"{REPOSITORY}/.github/workflows/ci.yml@{BRANCH}",
}
# By Fulcio's list of extensions: who has vouched for the workflow.
_ISSUER = f"1.3.6.1.4.1.57264.1.1=DER:{ISSUER.encode().hex()}"
_REQUEST = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1")
_COSIGN = """\
#!/bin/sh
export COSIGN_PASSWORD={password} SIGSTORE_ROOT_FILE={folder}/root.pem
case "$*" in
*--key*) ;;
"attest "*) set -- "$@" --key {folder}/workflow.key --certificate {folder}/workflow.pem \\
    --certificate-chain {folder}/root.pem --tlog-upload=false ;;
"verify-attestation "*) set -- "$@" --insecure-ignore-sct --insecure-ignore-tlog ;;
esac
exec {cosign} "$@"
"""


def identity(workflow: str) -> str:
    """What the certificate of a workflow of this repository says."""
    return f"https://github.com/{REPOSITORY}/.github/workflows/{workflow}@{BRANCH}"


def signing_as(workflow: str, folder: Path) -> Path:
    """A folder for PATH: its `cosign` signs as the workflow unless it is given a key, and trusts our authority."""
    ensure_programs(["cosign"], Runner(), Engine(), folder / "logs")
    real, programs = shutil.which("cosign"), folder / "bin"
    programs.mkdir(parents=True)
    _issue("root", folder, "-subj", "/CN=in Sigstore's place", "-addext", "basicConstraints=critical,CA:TRUE",
           "-addext", "keyUsage=critical,keyCertSign")
    _issue("workflow", folder, "-subj", "/", "-CA", "root.pem", "-CAkey", "root.secret",
           "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "keyUsage=critical,digitalSignature",
           "-addext", "extendedKeyUsage=codeSigning", "-addext", _ISSUER,
           "-addext", f"subjectAltName=critical,URI:{identity(workflow)}")
    _run(str(real), "import-key-pair", "--key", "workflow.secret", "--output-key-prefix", "workflow", cwd=folder)
    script = programs / "cosign"
    script.write_text(_COSIGN.format(password=PASSWORD, folder=shlex.quote(str(folder)), cosign=real))
    script.chmod(0o755)
    return programs


def _issue(name: str, folder: Path, *words: str) -> None:
    _run(*_REQUEST, *words, "-keyout", f"{name}.secret", "-out", f"{name}.pem", cwd=folder)


def _run(*words: str, cwd: Path) -> None:
    subprocess.run(words, cwd=cwd, check=True, capture_output=True, env={**os.environ, "COSIGN_PASSWORD": PASSWORD})
