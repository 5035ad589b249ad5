"""What an image carries besides its program, read without running it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from devenv.errors import CommandError, DevenvError
from devenv.shell import Runner

# Where an image of ours keeps the definitions (CRDs) of the resources that its controller serves.
DEFINITIONS = "/crds"


def definitions(reference: str, runner: Runner) -> str:
    """The manifests of the resource definitions in an image; raises DevenvError where it carries none."""
    container = runner.read("docker", "create", reference).strip()
    try:
        with TemporaryDirectory(prefix="devenv-definitions-") as scratch:
            runner.read("docker", "cp", f"{container}:{DEFINITIONS}", scratch)
            files = sorted(Path(scratch, Path(DEFINITIONS).name).glob("*.yaml"))
            return "---\n".join(file.read_text().removeprefix("---\n") for file in files)
    except CommandError as failure:
        raise DevenvError(f"`{reference}` has no resource definitions in {DEFINITIONS}: {failure.output}",
                          "apply upstream's own; the add-on's README has the command") from None
    finally:
        runner.read("docker", "rm", "--force", container)
