"""The one door to other programs: no other module starts a process."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from devenv.errors import CommandError, DevenvError

# What to type when a program is not there.
_INSTALL = {
    "docker": "run `devenv doctor --fix`, or install Docker Engine with the Compose and Buildx plugins",
    "git": "install it with your package manager, e.g. `apt-get install git`",
    "kind": "`devenv up --k8s` builds it from packages; or install it: https://kind.sigs.k8s.io/docs/user/quick-start/",
    "kubectl": "`devenv up --k8s` builds it from packages; or install it: https://kubernetes.io/docs/tasks/tools/",
    "ssh-keygen": "install OpenSSH's client, e.g. `apt-get install openssh-client`",
    "terraform": "install Terraform 1.11 or newer: https://developer.hashicorp.com/terraform/install",
    "mmdebstrap": "run `devenv doctor --fix`, or `apt-get install mmdebstrap`",
}


class Runner:
    """Runs programs with argv as separate strings, never through a shell."""

    def read(
        self,
        *argv: str,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str | None = None,
        timeout_s: float = 120,
    ) -> str:
        """Run and return standard output; raise CommandError on failure or after `timeout_s`."""
        _trace(argv)
        try:
            done = subprocess.run(
                argv, cwd=cwd, env=_environment(env), input=stdin, capture_output=True, text=True,
                errors="replace", timeout=timeout_s, check=False,
            )
        except FileNotFoundError:
            raise _missing(argv[0]) from None
        except subprocess.TimeoutExpired:
            raise CommandError(argv, 124, f"no answer within {timeout_s:.0f} s") from None
        if done.returncode:
            raise CommandError(argv, done.returncode, done.stderr or done.stdout)
        return done.stdout

    def run(self, *argv: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> None:
        """Run with its output streamed to our standard error; raise CommandError on failure."""
        status = self._stream(argv, cwd, env, stdout=sys.stderr.fileno())
        if status:
            raise CommandError(argv, status)

    def call(self, *argv: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> int:
        """Run with the terminal passed through and return its exit code."""
        return self._stream(argv, cwd, env, stdout=None)

    def log(
        self,
        *argv: str,
        log: Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Run with all output in the file `log`; a failure quotes its last lines and names the file."""
        _trace(argv)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as sink:
            try:
                status = subprocess.run(
                    argv, cwd=cwd, env=_environment(env), stdin=subprocess.DEVNULL, stdout=sink,
                    stderr=subprocess.STDOUT, check=False,
                ).returncode
            except FileNotFoundError:
                raise _missing(argv[0]) from None
        if status:
            tail = log.read_text(errors="replace")[-4000:]
            raise CommandError(argv, status, tail, hint=f"the whole output is in `{log}`")

    def pipe(self, source: tuple[str, ...], sink: tuple[str, ...], log: Path,
             env: Mapping[str, str] | None = None) -> None:
        """Run `source | sink`; both one's messages go to the file `log`; raise CommandError on failure."""
        _trace((*source, "|", *sink))
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as messages:
            try:
                first = subprocess.Popen(
                    source, env=_environment(env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=messages
                )
                second = subprocess.Popen(sink, stdin=first.stdout, stdout=messages, stderr=messages)
            except FileNotFoundError as missing:
                raise _missing(str(missing.filename)) from None
            assert first.stdout is not None
            first.stdout.close()
            statuses = ((sink, second.wait()), (source, first.wait()))
        for argv, status in statuses:
            if status:
                tail = log.read_text(errors="replace")[-4000:]
                raise CommandError(argv, status, tail, hint=f"the whole output is in `{log}`")

    def detach(self, *argv: str, log: Path, cwd: Path = Path("/"), env: Mapping[str, str] | None = None) -> int:
        """Start a program that outlives us, in a session of its own, and return its process id."""
        _trace(argv)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as sink:
            try:
                started = subprocess.Popen(
                    argv, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True, cwd=cwd,
                    env=_environment(env),
                )
            except FileNotFoundError:
                raise _missing(argv[0]) from None
        # How it ends is no concern of ours; without this, Popen warns that nobody has waited for it.
        started.returncode = 0
        return started.pid

    def _stream(
        self, argv: tuple[str, ...], cwd: Path | None, env: Mapping[str, str] | None, stdout: int | None
    ) -> int:
        _trace(argv)
        try:
            return subprocess.run(argv, cwd=cwd, env=_environment(env), stdout=stdout, check=False).returncode
        except FileNotFoundError:
            raise _missing(argv[0]) from None


def _trace(argv: tuple[str, ...]) -> None:
    """With --debug, show each command so that it can be pasted into a shell."""
    if "DEVENV_DEBUG" in os.environ:
        sys.stderr.write(f"+ {shlex.join(argv)}\n")


def _environment(extra: Mapping[str, str] | None) -> dict[str, str] | None:
    return {**os.environ, **extra} if extra else None


def _missing(program: str) -> DevenvError:
    return DevenvError(f"`{program}` is not installed", _INSTALL.get(program, f"install `{program}` and try again"))
