"""The program cosign: signed statements about an image, kept beside it in its registry.

Source: `cosign attest --help` and `cosign verify-attestation --help` of 2.6; the statements are those of in-toto.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from devenv.errors import CommandError, DevenvError
from devenv.shell import Runner

# The kinds of statements that devenv makes, by the names of their definitions.
PROVENANCE = "https://slsa.dev/provenance/v1"
TESTS = "https://in-toto.io/attestation/test-result/v0.1"
MATERIALS = "https://cyclonedx.org/bom"
# cosign has short names for some; a name given whole would be one that it does not check the content of.
_SHORT = {PROVENANCE: "slsaprovenance1", MATERIALS: "cyclonedx"}


@dataclass(frozen=True)
class Signer:
    """Somebody whose statements count: the holder of a key, or a workflow that an issuer vouches for."""

    key: Path | None = None
    identity: str = ""  # a regular expression over the whole of it
    issuer: str = ""

    @property
    def is_ci(self) -> bool:
        """Whether no person holds its key: a certificate for one run of a workflow."""
        return self.key is None

    def __str__(self) -> str:
        return f"the key {self.key.name}" if self.key else f"{self.identity} of {self.issuer}"

    def options(self, *, offline: bool) -> tuple[str, ...]:
        """How cosign is told about it."""
        if self.key:
            # What a key has signed is in no public log.
            return ("--key", str(self.key), "--insecure-ignore-tlog=true")
        return ("--certificate-identity-regexp", f"^(?:{self.identity})$", "--certificate-oidc-issuer", self.issuer,
                *(["--offline=true"] if offline else []))


def attest(reference: str, kind: str, predicate: dict[str, Any], key: Path | None, runner: Runner) -> None:
    """Sign a statement about the image and attach it; without `key`, as the workflow or the person who logs in.

    An earlier statement of this kind stays: an image may have been tested twice. Raises DevenvError.
    """
    with TemporaryDirectory(prefix="devenv-supply-") as scratch:
        file = Path(scratch, "predicate.json")
        file.write_text(json.dumps(predicate))
        how = ("--key", str(key), "--tlog-upload=false") if key else ()
        try:
            runner.read("cosign", "attest", "--yes", *how, "--type", _SHORT.get(kind, kind), "--predicate", str(file),
                        reference, timeout_s=300)
        except CommandError as failure:
            raise DevenvError(f"`{reference}` could not be signed: {_reason(failure)}",
                              "a key wants its password in COSIGN_PASSWORD, a workflow `permissions: id-token: write`, "
                              "and the registry a login that may push") from None


def statements(reference: str, kind: str, signer: Signer, runner: Runner, *,
               offline: bool = False) -> list[dict[str, Any]]:
    """The predicates about exactly this digest that the signer has signed; empty where there is none."""
    try:
        said = runner.read("cosign", "verify-attestation", *signer.options(offline=offline),
                           "--type", _SHORT.get(kind, kind), reference, timeout_s=120)
    except CommandError:
        return []
    return list(_predicates(said, kind, reference.rpartition("@sha256:")[2]))


def _predicates(said: str, kind: str, digest: str) -> Iterator[dict[str, Any]]:
    for line in filter(None, said.splitlines()):
        statement = json.loads(b64decode(json.loads(line)["payload"]))
        subjects = {subject["digest"].get("sha256") for subject in statement["subject"]}
        if statement["predicateType"] == kind and digest in subjects:
            yield statement["predicate"]


def _reason(failure: CommandError) -> str:
    lines = [line for line in failure.output.splitlines() if not line.startswith("WARNING")]
    return lines[-1].removeprefix("Error: ") if lines else f"exit code {failure.status}"
