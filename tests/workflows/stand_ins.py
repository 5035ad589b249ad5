"""What stands in for each action when a workflow runs here."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.workflows.runner import Run


def checkout(run: Run, given: Mapping[str, str]) -> None:
    """A clone of what is in this working copy."""
    from tests.workflows.files import ROOT
    from tests.workflows.runner import clean_clone

    assert given["persist-credentials"].lower() == "false"
    clean_clone(run.workspace, ROOT)


def setup_python(run: Run, given: Mapping[str, str]) -> dict[str, str]:
    """The interpreter that runs the tests, whatever version the workflow asks for."""
    folder = run.temporary / "python"
    folder.mkdir()
    (folder / "python3").symlink_to(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")
    run.environment["PATH"] = f"{folder}:{_path_without_our_environment()}"
    return {"python-version": ".".join(map(str, sys.version_info[:3]))}


def upload(run: Run, given: Mapping[str, str]) -> None:
    """A copy in the run's own folder."""
    target = run.temporary / "artifacts" / given["name"]
    target.mkdir(parents=True)
    for line in given["path"].split():
        source = run.workspace / line
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            assert source.exists(), f"nothing to upload at `{line}`"
            shutil.copy2(source, target)


def download(run: Run, given: Mapping[str, str]) -> None:
    """What an earlier job of the same run has uploaded."""
    source = run.temporary / "artifacts" / given["name"]
    shutil.copytree(source, run.workspace / given.get("path", "."), dirs_exist_ok=True)


def cosign(run: Run, given: Mapping[str, str]) -> None:
    """The same version, signing as the workflow whose job runs."""
    from tests.workflows.sigstore import signing_as

    programs = signing_as(f"{run.workflow}.yml", run.temporary / "cosign")
    said = subprocess.run([programs / "cosign", "version"], check=True, capture_output=True, text=True).stdout
    assert f" {given['cosign-release']}\n" in said, said
    run.environment["PATH"] = f"{programs}:{run.environment['PATH']}"


def nothing(run: Run, given: Mapping[str, str]) -> None:
    """For what is on this machine already."""


def _path_without_our_environment() -> str:
    import os

    ours = str(Path(sys.executable).parent)
    return ":".join(part for part in os.environ["PATH"].split(":") if part != ours)


STAND_INS: dict[str, Callable[[Run, Mapping[str, str]], dict[str, Any] | None]] = {
    "actions/checkout": checkout,
    "actions/setup-python": setup_python,
    "actions/upload-artifact": upload,
    "actions/download-artifact": download,
    "hashicorp/setup-terraform": nothing,
    "sigstore/cosign-installer": cosign,
}
