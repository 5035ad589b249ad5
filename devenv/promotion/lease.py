"""One promoter for each environment: a Lease in the cluster with holder, expiry and a token that only grows.

Source: coordination.k8s.io/v1; `leaseTransitions` grows with each change of hands and serves as fencing token.
"""

from __future__ import annotations

import getpass
import json
import os
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

from devenv.errors import CommandError, DevenvError, LockedError
from devenv.kubernetes.kubectl import Kubectl

NAME = "devenv-promotion"
DURATION_S, RENEW_S = 30, 8
# How far the clocks of two machines may be apart.
SKEW_S = 5


class LostLeaseError(LockedError):
    """Another promoter has taken over: it settles what was begun, so nothing is written and nothing brought back."""


@dataclass
class Lease:
    """The right to change an environment, held and renewed until `release`."""

    kubectl: Kubectl
    holder: str
    token: int = 0
    _stop: Event = field(default_factory=Event, repr=False)

    def acquire(self) -> None:
        """Take it; raises LockedError that names a holder who is at work."""
        found = look(self.kubectl)
        refuse_if_held(found, self.holder)
        spec = {"holderIdentity": self.holder, "leaseDurationSeconds": DURATION_S,
                "acquireTime": _now(), "renewTime": _now()}
        if found is None:
            self.token = 1
            verb, metadata = "create", {"name": NAME}
        else:
            self.token = int(found["spec"].get("leaseTransitions", 0)) + 1
            verb, metadata = "replace", {"name": NAME, "resourceVersion": found["metadata"]["resourceVersion"]}
        body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata,
                "spec": {**spec, "leaseTransitions": self.token}}
        try:
            self.kubectl.read(verb, "--validate=ignore", "--filename", "-", stdin=json.dumps(body))
        except CommandError:
            # Another one was quicker: the version that we saw is gone.
            refuse_if_held(look(self.kubectl), self.holder)
            raise
        Thread(target=self._renew, daemon=True).start()

    def check(self) -> None:
        """Raise LostLeaseError unless it is still ours; to be called before each write."""
        self._ours()

    def _ours(self) -> dict[str, Any]:
        found = look(self.kubectl)
        spec = found["spec"] if found else {}
        if found is None or (spec.get("holderIdentity"), spec.get("leaseTransitions")) != (self.holder, self.token):
            raise LostLeaseError(f"this promotion has lost its lease to {spec.get('holderIdentity') or 'nobody'}: it "
                                 "writes nothing more, and what it has written stays until the next one settles it",
                                 "when no other is at work, run the same command again: it goes on from what the "
                                 "cluster has", {"cause": "lease"})
        return found

    def release(self) -> None:
        """Give it up, so that the next promoter need not wait; the token stays."""
        self._stop.set()
        # One request that tests and writes: never another's lease, and a server that is silent is not waited for.
        patch = [{"op": "test", "path": "/spec/holderIdentity", "value": self.holder},
                 {"op": "test", "path": "/spec/leaseTransitions", "value": self.token},
                 {"op": "replace", "path": "/spec/holderIdentity", "value": ""},
                 {"op": "remove", "path": "/spec/renewTime"}]
        with suppress(DevenvError):
            self.kubectl.read("patch", "lease", NAME, "--type=json", "--patch", json.dumps(patch))

    def _renew(self) -> None:
        while not self._stop.wait(RENEW_S):
            # A renewal that fails is no failure of the promotion: the check before the next write decides.
            with suppress(CommandError, DevenvError):
                found = self._ours()
                self.kubectl.read("patch", "lease", NAME, "--type=merge", "--patch", json.dumps({
                    "metadata": {"resourceVersion": found["metadata"]["resourceVersion"]},
                    "spec": {"renewTime": _now()}}))


def look(kubectl: Kubectl) -> dict[str, Any] | None:
    """The lease as the cluster has it."""
    text = kubectl.read("get", "lease", NAME, "--ignore-not-found", "--output", "json")
    return json.loads(text) if text.strip() else None


def refuse_if_held(found: dict[str, Any] | None, me: str, now: datetime | None = None) -> None:
    """Raise LockedError if somebody else holds it, has renewed it lately, and is not known to be dead."""
    spec = found["spec"] if found else {}
    holder = spec.get("holderIdentity") or ""
    if not holder or holder == me or not spec.get("renewTime") or _is_dead(holder):
        return
    renewed = datetime.fromisoformat(spec["renewTime"].replace("Z", "+00:00"))
    now = now or datetime.now(UTC)
    left_s = (renewed + timedelta(seconds=spec["leaseDurationSeconds"] + SKEW_S) - now).total_seconds()
    if left_s > 0:
        since = datetime.fromisoformat(spec["acquireTime"].replace("Z", "+00:00"))
        raise LockedError(f"another promotion is at work: {holder}, for {(now - since).total_seconds():.0f} s",
                          f"wait for it; if it has died, its lease runs out in {left_s:.0f} s")


def person() -> str:
    """`user@host`."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def who() -> str:
    """`user@host process 123 (456)`: the number in brackets tells a process from a later one of the same number."""
    return f"{person()} process {os.getpid()} ({_started(os.getpid())})"


def _is_dead(holder: str) -> bool:
    """Whether the holder was a process of this machine that is no more; of other machines nothing is known."""
    where, _, process = holder.partition(" process ")
    number, _, started = process.partition(" ")
    if where.partition("@")[2] != socket.gethostname() or not number.isdigit() or not Path("/proc/self/stat").exists():
        return False
    return _started(int(number)) != started.strip("()")


def _started(process: int) -> str:
    """When a process started, in the kernel's ticks since boot; empty where it is gone. Source: proc(5), stat, 22."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
