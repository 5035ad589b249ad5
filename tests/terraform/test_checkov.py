"""Checkov over all of `terraform/`: nothing found that has no written reason, and a planted mistake is found.

Its packages are pinned against most others, so it lives in an environment of its own, made once in the user's cache.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.terraform.workspace import REPOSITORY, workspace

VERSION = "3.3.30"


@pytest.fixture(scope="session")
def checkov() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "devenv"
    cache.mkdir(parents=True, exist_ok=True)
    home = cache / f"checkov-{VERSION}"
    # Two workers of one run may come here at once, and an earlier run may have been cut off.
    with (cache / "checkov.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "whole").exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
            install = [str(home / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check",
                       f"checkov=={VERSION}"]
            subprocess.run(install, check=True)
            (home / "whole").touch()
    return home / "bin" / "checkov"


def failures(program: Path, folder: Path) -> tuple[dict[str, Any], set[tuple[str, str]]]:
    """Checkov's summary of a folder, and what it found: (check, resource)."""
    argv = [program, "-d", folder, "--config-file", REPOSITORY / "terraform" / ".checkov.yaml", "-o", "json"]
    done = subprocess.run([str(word) for word in argv], cwd=folder.parent, capture_output=True, text=True, timeout=300)
    report = json.loads(done.stdout)
    found = {(one["check_id"], one["resource"]) for one in report["results"]["failed_checks"]}
    assert bool(done.returncode) == bool(found), done.stderr
    return report["summary"], found


def test_nothing_is_found_that_has_no_reason(checkov: Path) -> None:
    summary, found = failures(checkov, REPOSITORY / "terraform")
    assert found == set()
    assert summary["passed"] > 250 and summary["parsing_errors"] == 0, summary


def test_a_planted_mistake_is_found(checkov: Path, tmp_path: Path) -> None:
    terraform = workspace(tmp_path).path / "terraform"
    file = terraform / "modules" / "object-storage" / "main.tf"
    text = file.read_text()
    assert "  block_public_acls       = true\n" in text
    file.write_text(text.replace("  block_public_acls       = true\n", "  block_public_acls       = false\n"))
    assert any(check == "CKV_AWS_53" for check, _ in failures(checkov, terraform)[1])


def test_every_waiver_has_a_reason() -> None:
    for file in (REPOSITORY / "terraform").rglob("*.tf"):
        for waiver in re.findall(r"checkov:skip=(.*)", file.read_text()):
            assert re.fullmatch(r"CKV2?_AWS_\d+:\S.{20,}", waiver), f"{file}: {waiver}"
