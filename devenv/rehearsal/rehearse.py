"""`devenv promote --rehearse`: the steps, in order, and an end that leaves nothing."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from devenv import output
from devenv.errors import CommandError, DevenvError
from devenv.lock import locked
from devenv.promotion import session
from devenv.rehearsal import clean
from devenv.rehearsal.context import Rehearsal
from devenv.rehearsal.environment import rehearsed, write_stand_ins
from devenv.rehearsal.surroundings import (
    apply_addons,
    check,
    check_ports,
    copy_files,
    find_images,
    make_surroundings,
)
from devenv.steps import Journal, run


def clear(rehearsal: Rehearsal) -> None:
    """Remove what an earlier rehearsal left."""
    if clean.is_left(rehearsal):
        output.say("  one was kept, or cut off: it goes")
        clean.remove(rehearsal)
        # The copy's name and ports were remembered in what is gone.
        rehearsal.forget_copy()


def promote(rehearsal: Rehearsal) -> None:
    """Promote, by the very same steps."""
    if rehearsal.terraform:
        write_stand_ins(rehearsal)
    rehearsal.promotion = rehearsed(rehearsal)
    session.promote(rehearsal.promotion)


def try_out(rehearsal: Rehearsal) -> None:
    """Try the platform with the project's own test."""
    command = rehearsal.project.config.rehearsal.command
    if not command:
        output.say("  devenv.toml names none: [rehearsal] command = [...]")
        return
    assert rehearsal.promotion is not None and rehearsal.promotion.place is not None
    place = rehearsal.promotion.place
    words = [sys.executable if word == "python" else word for word in command]
    variables = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "DEVENV_REHEARSAL_URL": place.url, "DEVENV_REHEARSAL_NAMESPACE": rehearsal.promotion.namespace,
        "KUBECONFIG": str(place.kubeconfig), "SSL_CERT_FILE": str(place.authority),
    }
    try:
        rehearsal.runner.run(*words, cwd=rehearsal.project.root, env=variables)
    except CommandError as failure:
        raise DevenvError(f"the rehearsed platform serves, and the project's own test of it failed: {failure.message}",
                          "run again with --keep to look at it") from None


REHEARSE = (clear, check, copy_files, check_ports, find_images, make_surroundings, apply_addons, promote, try_out)


def rehearse(rehearsal: Rehearsal, keep: bool) -> None:
    """Run the steps; then, or after any failure, remove everything; `keep` leaves what has come as far as a cluster."""
    rehearsal.folder.mkdir(parents=True, exist_ok=True)
    with locked(rehearsal.folder, "promote --rehearse", wait=False, hint="wait for it to end"), _term_is_interrupt():
        try:
            run("promote --rehearse", REHEARSE, rehearsal, Journal(rehearsal.folder / "journal.jsonl"))
        except KeyboardInterrupt:
            keep = False
            raise
        finally:
            if keep and rehearsal.promotion is not None:
                output.say("  the rehearsal is left; to end it: devenv down --rehearsal")
            else:
                _remove(rehearsal)


def end(rehearsal: Rehearsal) -> bool:
    """Remove a rehearsal that was kept or cut off; returns whether there was one."""
    rehearsal.folder.mkdir(parents=True, exist_ok=True)
    with locked(rehearsal.folder, "down --rehearsal", wait=False, hint="wait for it to end"):
        there = clean.is_left(rehearsal)
        _remove(rehearsal)
        return there


def _remove(rehearsal: Rehearsal) -> None:
    with output.step("Remove the rehearsal"):
        clean.remove(rehearsal)


@contextmanager
def _term_is_interrupt() -> Iterator[None]:
    """SIGTERM, such as of a CI job that is cancelled, ends it as Ctrl-C does: with everything removed."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
