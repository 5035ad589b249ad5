import socket
import threading
from time import monotonic

import pytest

from devenv.runtimes.containers import observe
from devenv.runtimes.listening import is_open, never_open
from tests.unit.fakes import FakeEngine, container


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def behave(listener, reaction):
    """Accept one connection and do `reaction` with it."""
    def serve():
        with listener.accept()[0] as peer:
            reaction(peer)
    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def test_who_waits_for_a_request_listens(listener):
    assert is_open(behave(listener, lambda peer: peer.recv(1)))


def test_who_speaks_first_listens(listener):
    assert is_open(behave(listener, lambda peer: peer.sendall(b"220 ready")))


def test_who_hangs_up_at_once_is_the_engines_proxy_with_nobody_behind_it(listener):
    assert not is_open(behave(listener, lambda peer: None))


def test_a_refused_connection_is_nobody(listener):
    port = listener.getsockname()[1]
    listener.close()
    assert not is_open(port)


def published(port, status):
    ports = [{"PublicPort": port, "PrivatePort": 80, "Type": "tcp"},
             {"PublicPort": 53, "PrivatePort": 53, "Type": "udp"}]
    return observe(FakeEngine(containers=[container("a", status=status, ports=ports)]), "p")["a"]


def test_only_services_without_a_health_check_are_waited_for(listener):
    port = listener.getsockname()[1]
    listener.close()
    assert never_open(published(port, "Up 1 second"), monotonic()) == [("a", port)]
    assert never_open(published(port, "Up 1 second (healthy)"), monotonic()) == []
