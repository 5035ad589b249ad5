"""Questions to a cluster that falls silent, or that refuses."""

import json
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from devenv.errors import CommandError, DevenvError
from devenv.kubernetes.patience import REFUSALS, SILENCE_S, Patient
from tests.unit.fakes import FakeRunner


@dataclass(frozen=True)
class Cluster(Patient):
    """Silent until `speaks_at`, in seconds of a clock that only pauses move."""

    time: list = field(default_factory=lambda: [0.0])
    speaks_at: float = 0.0

    def answers(self):
        return self.time[0] >= self.speaks_at


class Refusing(FakeRunner):
    """Fails so many times, then answers."""

    def __init__(self, times):
        super().__init__()
        self.times = times

    def _answer(self, argv):
        self.calls.append(" ".join(argv))
        if len(self.calls) <= self.times:
            raise CommandError(argv, 1, "no")
        return "yes"


def cluster(runner, speaks_at=0.0):
    time = [0.0]

    def pause(seconds):
        time[0] += seconds

    return Cluster(runner, None, "staging", clock=lambda: time[0], pause=pause, time=time, speaks_at=speaks_at)


def test_a_question_outlasts_a_silence():
    one = cluster(Refusing(1), speaks_at=SILENCE_S - 5)
    assert one.read("get", "pods") == "yes"
    assert one.time[0] >= SILENCE_S - 5


def test_a_silence_that_does_not_end_is_told_as_one():
    with pytest.raises(DevenvError, match="`staging` has not answered for 60 s"):
        cluster(Refusing(9), speaks_at=1e9).read("get", "pods")


def test_a_hiccup_is_asked_again_and_a_refusal_is_a_refusal():
    assert cluster(Refusing(REFUSALS - 1)).read("get", "pods") == "yes"
    refused = cluster(Refusing(99))
    with pytest.raises(CommandError):
        refused.read("get", "pods")
    assert len(refused.runner.calls) == REFUSALS


def test_what_changes_something_is_done_once():
    one = cluster(Refusing(1))
    with pytest.raises(CommandError):
        one.read("patch", "lease", "x")
    assert len(one.runner.calls) == 1


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(401)
        self.end_headers()

    def log_message(self, *_):
        pass


def at(server):
    return Patient(FakeRunner({"config view": json.dumps({"clusters": [{"cluster": {"server": server}}]})}), None, "c")


def test_a_server_answers_when_it_speaks_http_whatever_it_says():
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.handle_request, daemon=True).start()
        assert at(f"http://127.0.0.1:{server.server_port}").answers()
    assert not at(f"http://127.0.0.1:{server.server_port}").answers()


def test_where_no_address_is_known_a_failure_is_no_silence():
    assert Patient(FakeRunner({"config view": 1}), None, "c").answers()
    assert Patient(FakeRunner({"config view": "{}"}), None, "c").answers()
