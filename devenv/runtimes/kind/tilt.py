"""Tilt, where it is on the machine: it builds, rolls out and shows; live reload needs it not."""

from __future__ import annotations

import os
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from devenv.doctor.checks import version_in
from devenv.errors import DevenvError
from devenv.project import Project
from devenv.runtimes.kind import orphans
from devenv.runtimes.kind.cluster import Cluster
from devenv.shell import Runner

# Before, its screen could be used and read by any page in the browser (GHSA-c73q-8xxr-rgqm and two more, 2026-06).
MINIMUM = (0, 37, 4)
PORT = 10350


@dataclass(frozen=True)
class Tilt:
    """Tilt for one checkout."""

    cluster: Cluster
    runner: Runner

    @property
    def project(self) -> Project:
        return self.cluster.project

    @property
    def port(self) -> int:
        """Where its screen listens, on 127.0.0.1."""
        return PORT + self.project.checkout.port_offset

    @property
    def url(self) -> str:
        """Its screen."""
        return f"http://localhost:{self.port}"

    def environment(self, overlay: Path, variables: dict[str, str]) -> dict[str, str]:
        """What the Tiltfile and Tilt itself read."""
        return {
            **variables, "KUBECONFIG": str(self.cluster.kubeconfig), "DEVENV_OVERLAY": str(overlay),
            "INGRESS_PORT": self.cluster.url().rpartition(":")[2], "TILT_DISABLE_ANALYTICS": "1", "DO_NOT_TRACK": "1",
        }

    def ci(self, environment: dict[str, str]) -> None:
        """Build, roll out, and return when all is ready."""
        orphans.end(self._argv("ci"))
        self.runner.log(*self._argv("ci"), log=self.project.state / "logs" / "tilt-ci.log", cwd=self.project.root,
                        env=environment)

    def up(self, environment: dict[str, str]) -> None:
        """Start it in the background unless it runs; returns when its screen answers."""
        if self.pid() is None:
            pid = self.runner.detach(*self._argv("up", "--stream"), log=self.project.state / "logs" / "tilt.log",
                                     cwd=self.project.root, env=environment)
            self._file.write_text(f"{pid}\n")
        deadline = monotonic() + 30
        while not self._answers():
            if self.pid() is None or monotonic() > deadline:
                log = self.project.state / "logs" / "tilt.log"
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
                raise DevenvError(f"Tilt did not start:\n{tail}", f"the whole output is in `{log}`")
            sleep(0.1)

    def down(self) -> None:
        """End the one that `up` started; what it rolled out stays."""
        pid = self.pid()
        if pid is not None:
            os.killpg(pid, signal.SIGTERM)
        self._file.unlink(missing_ok=True)

    def pid(self) -> int | None:
        """The process that `up` started, if it is alive and still Tilt."""
        try:
            pid = int(self._file.read_text())
            words = Path("/proc", str(pid), "cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        return pid if words and words[0].rpartition(b"/")[2] == b"tilt" else None

    @property
    def _file(self) -> Path:
        return self.cluster.state / "tilt.pid"

    def _argv(self, *words: str) -> tuple[str, ...]:
        return ("tilt", *words, "--context", f"kind-{self.cluster.name}", "--host", "127.0.0.1",
                "--port", str(self.port))

    def _answers(self) -> bool:
        import socket

        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False


def is_there(runner: Runner, project: Project) -> bool:
    """Whether Tilt and a Tiltfile are there; raises DevenvError for a Tilt with known holes."""
    if not shutil.which("tilt") or not (project.root / "Tiltfile").is_file():
        return False
    found = version_in(runner.read("tilt", "version"))
    if found < MINIMUM:
        raise DevenvError(f"Tilt {'.'.join(map(str, found))} lets any web page use its screen (GHSA-c73q-8xxr-rgqm)",
                          f"install Tilt {'.'.join(map(str, MINIMUM))} or newer: https://docs.tilt.dev/install")
    return True
