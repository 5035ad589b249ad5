"""The small parts of the reloader: its command line, its messages, its words, and what a connection waits for."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

from devenv.reload import listen, say, warm
from devenv.reload.channel import Channel
from devenv.reload.handover import can_move, move
from devenv.reload.journal import describe
from devenv.reload.placeholder import Placeholder
from devenv.reload.processes import verdict
from devenv.reload.settings import parse
from devenv.reload.traffic import ClosedForReload, Traffic

ROOT = Path(__file__).parents[2]


def test_the_command_line_and_the_times(tmp_path):
    settings = parse(["--kind", "asgi", "--source", str(tmp_path), "--", "sh", "-c", "a -- b", "--", "c"],
                     {"DEVENV_RELOAD_DRAIN_S": "2.5"})
    assert settings.command == ("sh", "-c", "a -- b", "--", "c")
    assert (settings.sources, settings.drain_s, settings.websocket_drain_s) == ((str(tmp_path),), 2.5, 0.5)


@pytest.mark.parametrize(("argv", "environment", "reason"), [
    (["--kind", "asgi", "--source", "."], {}, "the command to run is missing"),
    (["--kind", "asgi", "--source", "/nowhere", "--", "x"], {}, "--source /nowhere: no such directory"),
    (["--kind", "asgi", "--source", ".", "--", "x"], {"DEVENV_RELOAD_DRAIN_S": "soon"}, "DEVENV_RELOAD_DRAIN_S=soon"),
    (["--kind", "other", "--source", ".", "--", "x"], {}, "invalid choice: 'other'"),
])
def test_a_wrong_command_line_says_why_and_leaves_with_2(argv, environment, reason, capsys):
    with pytest.raises(SystemExit) as left:
        parse(argv, environment)
    assert left.value.code == 2
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize(("command", "arguments"), [
    (["uvicorn", "a:b"], ["a:b"]),
    (["/opt/venv/bin/uvicorn", "a:b", "--port", "1"], ["a:b", "--port", "1"]),
    (["python3.13", "-m", "uvicorn", "a:b"], ["a:b"]),
    (["gunicorn", "a:b"], None),
    (["python", "-m", "celery"], None),
])
def test_uvicorns_command_is_known_by_its_name(command, arguments):
    assert listen.uvicorn_arguments(command) == arguments


def test_uvicorn_reads_its_own_options(monkeypatch):
    monkeypatch.setenv("UVICORN_TIMEOUT_KEEP_ALIVE", "7")
    options = listen.parse(["app:app", "--port", "0", "--header", "X-A:1"])
    assert (options["app"], options["port"], options["timeout_keep_alive"]) == ("app:app", 0, 7)
    listeners, address = listen.listen(options)
    assert address == f"http://127.0.0.1:{listeners[0].getsockname()[1]}"
    listeners[0].close()


def test_uvicorns_refusal_of_an_option_is_passed_on(capsys):
    with pytest.raises(SystemExit) as left:
        listen.parse(["app:app", "--prot", "1"])
    assert left.value.code == 2
    assert "--prot" in capsys.readouterr().err


def test_a_unix_socket_replaces_the_stale_one(tmp_path):
    path = str(tmp_path / "s")
    for _ in range(2):
        (listener,), address = listen.listen({"uds": path, "host": "", "port": 0})
        assert address == f"unix:{path}"
        listener.close()


def test_messages_stay_whole_and_in_order_and_carry_connections():
    ours, theirs = Channel.pair()
    a, b = socket.socketpair()
    ours.send("long", names=["x" * 50] * 500)
    ours.post("connection", os.dup(a.fileno()))
    messages = theirs.receive()
    assert [message.kind for message in messages] == ["long", "connection"]
    assert messages[0].fields == {"names": ["x" * 50] * 500}
    with socket.socket(fileno=messages[1].fd) as received:
        received.send(b"hello")
        assert b.recv(5) == b"hello"
    ours.close()
    assert theirs.receive() == []
    assert not theirs.is_open
    theirs.close()
    a.close()
    b.close()


def test_what_has_no_room_waits_and_an_offer_is_declined():
    ours, theirs = Channel.pair()
    with Path(os.devnull).open() as file:
        sent = 0
        while ours.flush() and sent < 10_000:
            ours.post("connection", os.dup(file.fileno()))
            sent += 1
        assert sent < 10_000, "a full buffer must make posted messages wait"
        assert not ours.offer("connection", file.fileno())
    received = 0
    while received < sent:
        for message in theirs.receive():
            os.close(message.fd)
            received += 1
        ours.flush()
    ours.close()
    theirs.close()
    assert received == sent


def test_a_listener_who_is_gone_makes_an_offer_fail_instead_of_losing_the_connection():
    ours, theirs = Channel.pair()
    theirs.close()
    with Path(os.devnull).open() as file:
        assert not ours.offer("connection", file.fileno())
    ours.send("ready")
    assert not ours.is_open
    ours.close()


def test_exit_codes_in_words():
    assert verdict(3) == "exit code 3"
    assert verdict(128 + signal.SIGTERM) == "killed by SIGTERM"
    assert verdict(128 + signal.SIGKILL) == "killed by SIGKILL (out of memory?)"


def test_few_of_many_files_are_named():
    paths = [f"/src/a{n}.py" for n in range(5)]
    assert say.names(paths[:1], ["/src"]) == "a0.py"
    assert say.names(paths, ["/src"]) == "a0.py, a1.py, a2.py and 2 more"


def test_a_traceback_begins_where_the_application_does():
    try:
        asyncio.run(_fail())
    except ValueError as failure:
        told = describe(failure)
    assert "runners.py" not in told
    assert told.splitlines()[-1] == "ValueError: of no use"


async def _fail():
    raise ValueError("of no use")


class Transport:
    """Records what is done to it, in order."""

    def __init__(self, unsent=0):
        self.unsent, self.done = unsent, []

    def __getattr__(self, name):
        return lambda *_: self.done.append(name)

    def is_closing(self):
        return "close" in self.done

    def get_write_buffer_size(self):
        return self.unsent

    def get_extra_info(self, name):
        address = ("127.0.0.1", 8080)
        known = SimpleNamespace(fileno=lambda: 42, getsockname=lambda: address, getpeername=lambda: address)
        return known if name == "socket" else None


def h11(transport, data=b""):
    """uvicorn's own protocol, as far as it gets with `data`."""
    from uvicorn.config import Config
    from uvicorn.protocols.http.h11_impl import H11Protocol
    from uvicorn.server import ServerState

    async def application(scope, receive, send):
        await asyncio.Event().wait()

    config = Config(application, log_config=None)
    config.load()
    protocol = H11Protocol(config, ServerState(), {}, _loop=asyncio.get_running_loop())
    assert can_move(type(protocol))
    protocol.connection_made(transport)
    if data:
        protocol.data_received(data)
    return protocol


@pytest.mark.parametrize(("data", "unsent", "moves"), [
    (b"", 0, True),
    (b"", 10, False),
    (b"GET / HT", 0, False),
    (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 0, False),
])
async def test_only_a_connection_between_two_requests_moves(data, unsent, moves):
    transport, offered = Transport(unsent), []
    protocol = h11(transport, data)
    move(protocol, lambda fd: offered.append(fd) or True)
    assert offered == ([42] if moves else [])
    assert ("close" in transport.done) == moves
    for task in protocol.tasks:
        task.cancel()


async def test_a_protocol_that_looks_different_stays_where_it_is():
    protocol = h11(Transport())
    del protocol.cycle
    move(protocol, lambda fd: pytest.fail("it moved"))


async def test_a_connection_that_nobody_takes_is_read_on():
    transport = Transport()
    move(h11(transport), lambda fd: False)
    assert transport.done[-2:] == ["pause_reading", "resume_reading"]


async def test_websockets_are_closed_with_1012_now_and_as_soon_as_they_are_accepted():
    sent, is_open, goes_on = [], asyncio.Event(), asyncio.Event()

    async def application(scope, receive, send):
        if scope["late"]:
            await goes_on.wait()
        await send({"type": "websocket.accept"})
        is_open.set()
        await goes_on.wait()
        await send({"type": "websocket.send", "text": "more"})

    async def keep(message):
        sent.append((message["type"], message.get("code")))

    traffic = Traffic(application, lambda: None)
    tasks = [asyncio.create_task(traffic({"type": "websocket", "late": late}, None, keep)) for late in (False, True)]
    await is_open.wait()
    await traffic.close_websockets()
    assert sent == [("websocket.accept", None), ("websocket.close", 1012)]
    goes_on.set()
    await asyncio.gather(*tasks)  # the ClosedForReload that both run into is no error
    assert sent[2:] == [("websocket.accept", None), ("websocket.close", 1012)]
    assert issubclass(ClosedForReload, OSError)


@pytest.mark.parametrize("turns_away", [False, True])
async def test_clients_are_turned_away_when_told_so(turns_away):
    sent, ended = [], []

    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body", "body": b"1", "more_body": True})
        assert not ended
        await send({"type": "http.response.body", "body": b"2"})

    async def keep(message):
        sent.append(message)

    traffic = Traffic(application, lambda: ended.append(True))
    traffic.turns_away = turns_away
    await traffic({"type": "http"}, None, keep)
    assert sent[0]["headers"] == [(b"a", b"b"), (b"connection", b"close")][:1 + turns_away]
    assert ended == [True]


async def test_a_placeholder_answers_with_the_reason():
    sent = []

    async def keep(message):
        sent.append(message)

    await Placeholder("NameError: x")({"type": "http"}, None, keep)
    assert sent[0]["status"] == 503
    assert sent[1]["body"].startswith(b"The code of this service does not start: NameError: x\n")


def test_a_rehearsal_keeps_out_what_fails_what_starts_threads_and_what_needs_them(tmp_path):
    (tmp_path / "good.py").write_text("")
    (tmp_path / "failing.py").write_text("1 / 0\n")
    (tmp_path / "threaded.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n")
    (tmp_path / "tolerant.py").write_text("try:\n    import threaded\nexcept ImportError:\n    threaded = None\n")
    (tmp_path / "needs_own.py").write_text("import mine.settings\n")
    names = ["good", "failing", "threaded", "tolerant", "needs_own"]
    code = (f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(tmp_path)!r}]\n"
            f"from devenv.reload import warm; print(warm.rehearse({names}, {{'mine'}}))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "['good']\n", done.stderr


def test_an_import_that_fails_leaves_no_half_of_a_package(tmp_path, monkeypatch):
    package = tmp_path / "half_done"
    package.mkdir()
    (package / "__init__.py").write_text("from half_done import part\nraise RuntimeError\n")
    (package / "part.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    warm.load("half_done", (), (), str(tmp_path))
    assert not [name for name in sys.modules if name.startswith("half_done")]


def test_it_runs_in_the_oldest_python_that_it_promises():
    """No name of the typing or standard library that is younger than 3.9 is used at run time."""
    assert find_spec("devenv.reload.command")
    done = subprocess.run([sys.executable, "-m", "ruff", "check", "--quiet", "--select", "F,E9", "--target-version",
                           "py39", str(ROOT / "devenv" / "reload")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
