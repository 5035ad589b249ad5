"""A copy of `terraform/` in a temporary folder, and Terraform run in it: the repository is never written to."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from devenv.terraform import providers

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Workspace:
    """The copy at `path`, with the environment that Terraform runs in."""

    path: Path
    environment: dict[str, str] = field(repr=False)

    def run(self, folder: str, *arguments: str, timeout_s: int = 300) -> subprocess.CompletedProcess[str]:
        """Run `terraform` in `folder` of the copy; its working data stays outside the copy, one set for each folder."""
        data = self.path.parent / "data" / folder.replace("/", "-")
        return subprocess.run(
            ["terraform", f"-chdir={self.path / 'terraform' / folder}", *arguments],
            env={**self.environment, "TF_DATA_DIR": str(data)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def must(self, folder: str, *arguments: str, timeout_s: int = 300) -> str:
        """Run `terraform` and return what it printed; any failure fails the test with all of it."""
        done = self.run(folder, *arguments, timeout_s=timeout_s)
        assert done.returncode == 0, f"terraform {' '.join(arguments)} in {folder}:\n{done.stdout}"
        return done.stdout

    def init(self, folder: str, *arguments: str) -> None:
        """Get the provider and link the modules; the committed lock file must be right as it is."""
        self.must(folder, "init", "-no-color", "-lockfile=readonly", *arguments)

    def copy(self, name: str) -> Workspace:
        """Another copy beside this one, which shares the provider and the module links."""
        path = self.path.parent / name
        shutil.copytree(self.path, path)
        return Workspace(path, self.environment)


def workspace(folder: Path) -> Workspace:
    """A fresh copy under `folder` of what Terraform reads."""
    path = folder / "repository"
    # bootstrap gets a backend.tf once its state has moved into the bucket that it makes (docs/guides/aws-account.md).
    leave_out = shutil.ignore_patterns(".terraform", "terraform.tfstate*", "backend.tf")
    shutil.copytree(REPOSITORY / "terraform", path / "terraform", ignore=leave_out)
    (path / "k8s").mkdir()
    shutil.copy(REPOSITORY / "k8s" / "versions.json", path / "k8s")
    return Workspace(path, environment(path / "terraform" / "tests", folder))


def environment(locked: Path, folder: Path) -> dict[str, str]:
    """What Terraform runs in: providers as the lock file in `locked` names them, and nothing of a person's own."""
    # A person's own credentials and settings must not reach a test.
    personal = ("AWS_", "TF_VAR_", "TF_CLI_ARGS")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(personal)}
    return {
        **inherited,
        **providers.source(locked, folder),
        "TF_IN_AUTOMATION": "1",
        "CHECKPOINT_DISABLE": "1",
        # The provider's schema is garbage soon after each start; collecting it less often takes a third less time.
        "GOGC": "400",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
