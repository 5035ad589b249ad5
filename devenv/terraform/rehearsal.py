"""Terraform on a mocked AWS: a copy of the files, and an environment that reaches no real account."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

# Its files are laid over the copy, folder by folder.
OVERLAID = "rehearsal"
# Of an account, not of the files.
LEFT_OUT = shutil.ignore_patterns(".terraform", "terraform.tfstate*", "backend.tf")


def copy(root: Path, target: Path, folder: str = "terraform") -> Path:
    """Copy `root/folder` to `target/folder`, lay its `rehearsal/` over the copy, and return the copy.

    What else is in `root` is linked beside it, so that files named by relative paths are found.
    """
    target.mkdir(parents=True, exist_ok=True)
    for entry in root.iterdir():
        if entry.name != folder and not entry.name.startswith("."):
            (target / entry.name).symlink_to(entry)
    copied = target / folder
    shutil.copytree(root / folder, copied, ignore=LEFT_OUT)
    if (copied / OVERLAID).is_dir():
        shutil.copytree(copied / OVERLAID, copied, dirs_exist_ok=True)
    return copied


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
