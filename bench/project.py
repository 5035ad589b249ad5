"""A project for a benchmark, in a place of its own, with `devenv` and plain `docker compose` run in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path


class Project:
    """A copy of a folder; both tools see the same files, images and project name."""

    def __init__(self, source: Path, target: Path) -> None:
        self.root = target
        ignored = shutil.ignore_patterns(".devenv", ".env", ".venv", ".git", ".terraform", "*_cache", "__pycache__")
        shutil.copytree(source, target, ignore=ignored)

    @property
    def name(self) -> str:
        """The Compose project's name."""
        return str(json.loads((self.root / ".devenv" / "checkout.json").read_text())["name"])

    def devenv(self, *words: str) -> float:
        """Run `devenv` and return the seconds it took; the process's start counts."""
        return timed([str(Path(sys.executable).with_name("devenv")), *words], self.root)

    def compose(self, *words: str, files: tuple[str, ...] = (), docker: str = "docker") -> float:
        """Run `docker compose` by hand and return the seconds it took."""
        return timed(self.compose_argv(*words, files=files, docker=docker), self.root)

    def compose_argv(self, *words: str, files: tuple[str, ...] = (), docker: str = "docker") -> list[str]:
        """`docker compose` as a person runs it here: with the project's name and the images that were found."""
        main = next(name for name in ("compose.yaml", "docker-compose.yml") if (self.root / name).is_file())
        chosen = [word for file in (main, ".devenv/images.yml", *files) for word in ("-f", file)]
        return [docker, "compose", "-p", self.name, *chosen, *words]

    def remove(self) -> None:
        """Containers, volumes and the images of this project."""
        subprocess.run(["docker", "compose", "-p", self.name, "down", "-v", "--rmi", "local"], cwd=self.root,
                       capture_output=True, check=False)


def timed(argv: list[str], cwd: Path) -> float:
    """Seconds of one command; raises with its output when it fails."""
    # Without bytecode on the disk, every start of devenv would compile it: no installed program runs like that.
    left_out = ("COMPOSE_", "PYTHONDONTWRITEBYTECODE")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    began = time.perf_counter()
    done = subprocess.run(argv, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    took = time.perf_counter() - began
    if done.returncode:
        said = f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        raise RuntimeError(f"{' '.join(argv)} exited with {done.returncode}:\n{said}")
    return took
