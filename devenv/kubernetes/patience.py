"""An API server that falls silent for a while: questions wait for it. What it refuses, it refuses."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from time import monotonic, sleep
from urllib.parse import urlsplit

from devenv.errors import CommandError, DevenvError
from devenv.kubernetes.kubectl import Kubectl

# An upgrade of a control plane, or a load balancer that changes hands, takes about as long.
SILENCE_S = 60.0
# One question is mostly one request; several kinds are several.
QUESTION_S = 25.0
# A server that answers and says no so often in a row means it: one 500 among others is a hiccup.
REFUSALS, PAUSE_S = 4, 0.25
KNOCK_S = 5.0


@dataclass(frozen=True)
class Patient(Kubectl):
    """`kubectl` whose questions (`get`) outlast a silence; what changes something is never repeated by itself."""

    clock: Callable[[], float] = monotonic
    pause: Callable[[float], None] = sleep

    def read(self, *words: str, stdin: str | None = None, timeout_s: float = 120) -> str:
        """As Kubectl's; raises DevenvError where the server has been silent for SILENCE_S."""
        if words[0] != "get":
            return super().read(*words, stdin=stdin, timeout_s=timeout_s)
        began, refused = self.clock(), 0
        while True:
            try:
                return super().read(*words, stdin=stdin, timeout_s=min(timeout_s, QUESTION_S))
            except CommandError:
                while not self.answers():
                    if self.clock() - began > SILENCE_S:
                        raise DevenvError(
                            f"the cluster of context `{self.context}` has not answered for {SILENCE_S:.0f} s",
                            "when it does, run the same command again", {"cause": "silence"}) from None
                    self.pause(PAUSE_S)
                refused += 1
                if refused == REFUSALS:
                    raise
            self.pause(PAUSE_S)

    def answers(self) -> bool:
        """Whether something speaks HTTP at the server's address; it is told no credentials and believed nothing."""
        try:
            view = super().read("config", "view", "--minify", "--output", "json")
            server = urlsplit(json.loads(view)["clusters"][0]["cluster"]["server"])
        except (CommandError, ValueError, LookupError, TypeError):
            return True  # it is not the server that keeps kubectl from asking
        address = server.hostname or "", server.port
        anyone = ssl.create_default_context()
        anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
        connection = (HTTPConnection(*address, timeout=KNOCK_S) if server.scheme == "http"
                      else HTTPSConnection(*address, timeout=KNOCK_S, context=anyone))
        try:
            connection.request("GET", "/livez")
            connection.getresponse()
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()
        return True
