"""Terraform on a mocked AWS: a copy of the files, and an environment that reaches no real account."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from devenv.errors import UsageError
from devenv.project import write_whole

# Its files are laid over the copy, folder by folder.
OVERLAID = "rehearsal"
# Of an account, not of the files.
_NOT_COPIED = shutil.ignore_patterns(".terraform", "terraform.tfstate*", "backend.tf")


def copy(root: Path, target: Path, *others: str, folder: str = "terraform") -> Path:
    """Copy `root/folder` and `others` to `target`, lay the folder's `rehearsal/` over its copy, and return that copy.

    What else is in `root` is linked beside them, so that files named by relative paths are found.
    """
    target.mkdir(parents=True, exist_ok=True)
    for entry in root.iterdir():
        if entry.name in (folder, *others):
            shutil.copytree(entry, target / entry.name, ignore=_NOT_COPIED)
        elif not entry.name.startswith("."):
            (target / entry.name).symlink_to(entry)
    copied = target / folder
    if (copied / OVERLAID).is_dir():
        shutil.copytree(copied / OVERLAID, copied, dirs_exist_ok=True)
    return copied


def region(copied: Path) -> str:
    """The region that the account's values name."""
    found = re.search(r'^region *= *"([^"]+)"', (copied / "bootstrap" / "terraform.tfvars").read_text(), re.MULTILINE)
    if found is None:
        raise UsageError(f"`{copied}/bootstrap/terraform.tfvars` names no `region`", "add it, then try again")
    return found[1]


def left_out(copied: Path) -> tuple[str, ...]:
    """The modules that a rehearsal does without, because the mocked AWS lacks them."""
    try:
        return tuple(json.loads((copied / OVERLAID / "left-out.json").read_text()))
    except FileNotFoundError:
        return ()


def stand_ins(copied: Path) -> tuple[str, dict[str, str]]:
    """Where the settings of what stands in for the cloud's backends are, and how each backend's keys begin."""
    file = copied / OVERLAID / "stand-ins.json"
    try:
        said = json.loads(file.read_text())
        return str(said["settings"]), dict(said["backends"])
    except (OSError, ValueError, KeyError, TypeError) as cause:
        raise UsageError(f"`{file}` does not say what stands in for the backends: {cause}",
                         "terraform/README.md has the shape") from None


def write_stand_ins(folder: Path, *, cluster: Mapping[str, str], registry_url: str, host: str,
                    backends: Mapping[str, Mapping[str, str]]) -> None:
    """Give the environment in `folder` (of a copy) the input `stand_ins`: what is used in place of what is left out.

    `cluster` has `name`, `endpoint` and `certificate_authority` (Base64); `backends` has each backend's environment.
    """
    given = {"cluster": dict(cluster), "registry_url": registry_url, "host": host,
             "backends": {name: dict(one) for name, one in backends.items()}}
    write_whole(folder / "rehearsal.auto.tfvars.json", json.dumps({"stand_ins": given}, indent=1) + "\n", mode=0o600)


def by_backend(settings: Mapping[str, str], names: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Settings of in-cluster backends grouped as Terraform has them; `names` maps a backend to its keys' beginning."""
    return {backend: {key: value for key, value in settings.items() if key.startswith(beginning)}
            for backend, beginning in names.items()}


def environment(endpoint: str) -> dict[str, str]:
    """Variables under which every AWS call goes to `endpoint`; a person's own profile and keys are out of reach."""
    return {
        # An empty variable is no variable to AWS's SDKs.
        **{name: "" for name in os.environ if name.startswith("AWS_")},
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
