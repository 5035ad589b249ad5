"""Live reload with real processes: what is served after an edit, and that nobody is cut off."""

import asyncio
import http.client
import os
import py_compile
import signal
import socket
import sys
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from tests.integration.reloading import APP, Load, Reloader, eventually, get, uvicorn, write


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source"
    path.mkdir()
    (path / "app.py").write_text(APP)
    return path


def edited(token):
    return APP.replace('"first"', f'"{token}"')


async def test_twenty_edits_under_load_lose_no_request_and_close_websockets_with_1012(source):
    app = source / "app.py"
    with Reloader(source, *uvicorn("app:app", "--no-access-log"), DEVENV_RELOAD_WEBSOCKET_DRAIN_S="0.1",
                  DEVENV_RELOAD_WARM_AFTER_S="0") as reloader:
        port = await asyncio.to_thread(reloader.port)
        load = Load(port)
        load.start(clients=20, each_per_s=10, websockets=50)
        await asyncio.to_thread(eventually, lambda: load.open_websockets == 50)
        for number in range(20):
            if number == 10:
                write(app, edited("broken") + "\nx = (\n")
                await asyncio.to_thread(reloader.hears, "SyntaxError: '(' was never closed")
                assert (await asyncio.to_thread(get, port))[1] == "edit-9"
            write(app, edited(f"edit-{number}"))
            await asyncio.to_thread(reloader.hears, "reloaded in ")
            assert (await asyncio.to_thread(get, port))[1] == f"edit-{number}"
            await asyncio.sleep(0.1)
        await asyncio.to_thread(eventually, lambda: len(load.close_codes) >= 50)
        await load.stop()
        assert load.failures == []
        assert load.answered > 200
        assert set(load.close_codes) == {1012}
        # Every generation but the one that serves has ended, after its lifespan's shutdown.
        await asyncio.to_thread(eventually, lambda: len(reloader.children()) == 1)
        assert reloader.journal.read_text().count("stop") == 20


def test_a_kept_connection_is_answered_by_the_new_code(source):
    with Reloader(source, *uvicorn()) as reloader:
        connection = http.client.HTTPConnection("127.0.0.1", reloader.port(), timeout=60)
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"first"
        ours = connection.sock.getsockname()
        for token in ("second", "third"):
            write(source / "app.py", edited(token))
            reloader.hears("reloaded in ")
            connection.request("GET", "/")
            assert connection.getresponse().read() == token.encode()
            assert connection.sock.getsockname() == ours
        connection.close()


def test_a_request_under_way_is_finished_by_the_code_that_began_it(source):
    with Reloader(source, *uvicorn()) as reloader:
        port = reloader.port()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/?after=1")
        # The connection of a later request was accepted later, so the first one has arrived too.
        get(port)
        write(source / "app.py", edited("second"))
        reloader.hears("reloaded in ")
        assert get(port) == (200, "second")
        assert connection.getresponse().read() == b"first"
        connection.close()


def test_old_code_ends_at_its_deadline(source):
    with Reloader(source, *uvicorn(), DEVENV_RELOAD_DRAIN_S="0.2") as reloader:
        port = reloader.port()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/?after=3600")
        get(port)
        write(source / "app.py", edited("second"))
        reloader.hears("reloaded in ")
        eventually(lambda: len(reloader.children()) == 1)
        assert "stop first" in reloader.journal.read_text()
        assert get(port) == (200, "second")
        connection.close()


def test_code_that_never_started_answers_503_with_the_reason_until_it_is_mended(source):
    write(source / "app.py", "import nowhere_to_be_found\n")
    with Reloader(source, *uvicorn()) as reloader:
        port = reloader.port()
        reloader.hears("ModuleNotFoundError: No module named 'nowhere_to_be_found'")
        status, text = get(port)
        assert status == 503
        assert "No module named 'nowhere_to_be_found'" in text
        write(source / "app.py", APP)
        reloader.hears("serving on")
        assert get(port) == (200, "first")


def test_a_first_start_that_fails_is_tried_again_without_an_edit(source, tmp_path):
    backend = tmp_path / "backend"
    wait = f'        if not Path({str(backend)!r}).exists(): raise RuntimeError("no backend yet")\n        yield'
    write(source / "app.py", APP.replace("        yield", wait))
    with Reloader(source, *uvicorn()) as reloader:
        port = reloader.port()
        reloader.hears("RuntimeError: no backend yet")
        assert get(port)[0] == 503
        backend.touch()
        reloader.hears("serving on")
        assert get(port) == (200, "first")


def test_a_failed_start_up_leaves_the_old_code_serving(source):
    with Reloader(source, *uvicorn()) as reloader:
        port = reloader.port()
        write(source / "app.py", APP.replace("        yield", '        raise RuntimeError("not today")\n        yield'))
        reloader.hears("not reloaded, the code from before the edit still serves: app.py")
        reloader.hears("RuntimeError: not today")
        assert get(port) == (200, "first")
        # Undone: the same content as what serves, and yet worth a new start.
        write(source / "app.py", APP)
        reloader.hears("reloaded in ")
        assert get(port) == (200, "first")


def test_compiled_code_of_the_same_time_and_size_is_never_served(source):
    app = source / "app.py"
    py_compile.compile(str(app))
    cached = Path(cache_from_source(str(app)))
    was = app.stat()
    with Reloader(source, *uvicorn()) as reloader:
        port = reloader.port()
        for token in ("later", "again", "final"):  # as long as "first"
            app.write_text(edited(token))
            os.utime(app, ns=(was.st_atime_ns, was.st_mtime_ns))
            reloader.hears("reloaded in ")
            assert get(port) == (200, token)
        assert app.stat().st_size == was.st_size
    with Reloader(source, *uvicorn()) as reloader:
        assert get(reloader.port()) == (200, "final")
    assert cached.exists()


def test_new_renamed_deleted_and_other_files_count_and_files_of_editors_do_not(source):
    write(source / "app.py", edited("bare").replace(
        'TOKEN = "bare"', 'here = Path(__file__).parent\n'
        'TOKEN = "-".join(sorted(p.name + p.read_text().strip() for p in here.glob("parts/*.html")))'))
    with Reloader(source, *uvicorn()) as reloader:
        port = reloader.port()
        (source / "parts").mkdir()
        (source / "parts" / "a.html").write_text("1")
        reloader.hears("parts/a.html")
        assert get(port)[1] == "a.html1"
        (source / "parts" / "a.html").rename(source / "parts" / "b.html")
        reloader.hears("parts/a.html, parts/b.html")
        (source / "parts" / "b.html").write_text("2")
        reloader.hears("parts/b.html")
        assert get(port)[1] == "b.html2"
        (source / "parts" / "b.html").write_text("2")  # no news
        (source / "parts" / ".b.html.swp").write_text("x")
        (source / "parts" / "b.html~").write_text("x")
        (source / "parts" / "b.html~").unlink()
        (source / "parts" / "b.html").unlink()
        assert "parts/b.html" in reloader.hears("reloaded in ")
        assert get(port)[1] == ""
        assert sum("reloaded in" in line for line in reloader.lines) == 4


def test_a_module_that_is_deleted_is_not_taken_from_the_image(source, tmp_path):
    # The working directory stands for the image's own copy.
    (tmp_path / "helper.py").write_text('TOKEN = "the image"\n')
    (source / "helper.py").write_text('TOKEN = "mounted"\n')
    write(source / "app.py", "from helper import TOKEN as MOUNTED\n" + APP.replace('"first"', "MOUNTED"))
    with Reloader(source, *uvicorn()) as reloader:
        port = reloader.port()
        assert get(port) == (200, "mounted")
        (source / "helper.py").unlink()
        reloader.hears("not reloaded")
        reloader.hears("ModuleNotFoundError: No module named 'helper'")
        assert get(port) == (200, "mounted")


def test_a_shared_source_and_thousands_of_files_at_once(source, tmp_path):
    shared = tmp_path / "shared"
    (shared / "kit").mkdir(parents=True)
    (shared / "kit" / "__init__.py").write_text('TOKEN = "old"\n')
    write(source / "app.py", "from kit import TOKEN as SHARED\n" + APP.replace('"first"', "SHARED"))
    with Reloader(source, *uvicorn(), more=("--source", str(shared))) as reloader:
        port = reloader.port()
        write(shared / "kit" / "__init__.py", 'TOKEN = "new"\n')
        reloader.hears("kit/__init__.py")
        assert get(port) == (200, "new")
        for number in range(2000):
            write(shared / "kit" / f"m{number}.py", f"VALUE = {number}\n")
        write(shared / "kit" / "__init__.py", "from kit.m1999 import VALUE\nTOKEN = str(VALUE)\n")
        eventually(lambda: get(port) == (200, "1999"))


def test_a_newer_edit_supersedes_one_that_is_not_ready(source):
    with Reloader(source, *uvicorn()) as reloader:
        port = reloader.port()
        stuck = "        await asyncio.sleep(3600)\n        yield"
        write(source / "app.py", edited("never").replace("        yield", stuck))
        eventually(lambda: "start never" in reloader.journal.read_text())
        write(source / "app.py", edited("second"))
        reloader.hears("reloaded in ")
        assert get(port) == (200, "second")


def test_connections_that_a_superseded_first_start_has_taken_are_served(source):
    def waiting(text, seconds):
        return text.replace("        yield", f"        await asyncio.sleep({seconds})\n        yield")

    write(source / "app.py", waiting(APP, 1))
    with Reloader(source, "uvicorn", "app:app", "--uds", str(source.parent / "socket")) as reloader:
        eventually(reloader.journal.exists)
        write(source / "app.py", waiting(edited("second"), 3))
        # In the queue of the listener when the first one, superseded but serving for a moment, takes from it.
        client = socket.socket(socket.AF_UNIX)
        client.connect(str(source.parent / "socket"))
        eventually(lambda: "stop first" in reloader.journal.read_text())
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        client.settimeout(60)
        answer = b"".join(iter(lambda: client.recv(4096), b""))
        client.close()
        assert answer.endswith(b"second")


def test_new_code_gets_no_request_before_it_is_ready(source, tmp_path):
    gate = tmp_path / "gate"
    ready = ('async def ready(request):\n'
             f'    return PlainTextResponse("", status_code=200 if Path({str(gate)!r}).exists() else 503)\n\n\n'
             'app = Starlette(')
    app = APP.replace("app = Starlette(", ready).replace('routes=[', 'routes=[Route("/readyz", ready), ')
    write(source / "app.py", app)
    gate.touch()
    with Reloader(source, *uvicorn(), more=("--ready", "http://127.0.0.1/readyz")) as reloader:
        port = reloader.port()
        gate.unlink()
        write(source / "app.py", app.replace('"first"', '"second"'))
        eventually(lambda: "start second" in reloader.journal.read_text())
        assert get(port) == (200, "first")
        gate.touch()
        reloader.hears("reloaded in ")
        assert get(port) == (200, "second")


def test_what_serves_is_the_last_to_go_when_memory_runs_out(source):
    def victim(pid):
        return int(Path(f"/proc/{pid}/oom_score_adj").read_text())

    usual = victim("self")
    with Reloader(source, *uvicorn()) as reloader:
        port = reloader.port()
        first = get(port, "/process")[1]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/?after=3600")
        get(port)
        write(source / "app.py", edited("second"))
        reloader.hears("reloaded in ")
        assert victim(first) == 1000
        assert victim(get(port, "/process")[1]) == usual
        connection.close()


def test_sigterm_lets_requests_finish_and_runs_the_lifespans_end(source):
    with Reloader(source, *uvicorn()) as reloader:
        port = reloader.port()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/?after=0.5")
        get(port)
        reloader.process.send_signal(signal.SIGTERM)
        assert connection.getresponse().read() == b"first"
        connection.close()
        assert reloader.ends() == 128 + signal.SIGTERM
        assert reloader.journal.read_text() == "start first\nstop first\n"


def test_a_service_that_ends_by_itself_ends_the_reloader_with_its_code(source):
    with Reloader(source, *uvicorn()) as reloader:
        port = reloader.port()
        with pytest.raises(http.client.RemoteDisconnected):
            get(port, "/end")
        assert reloader.ends() == 7
        reloader.hears("the service ended by itself (exit code 7)")


def test_a_service_does_not_outlive_its_reloader(source):
    with Reloader(source, *uvicorn()) as reloader:
        port = reloader.port()
        served_by = Path("/proc") / get(port, "/process")[1]
        reloader.process.kill()
        eventually(lambda: not served_by.exists())


def test_third_party_modules_are_imported_ahead_but_for_those_that_start_threads(source, tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    note = 'import os\nwith open(os.environ["JOURNAL"], "a") as journal: print(__name__, os.getpid(), file=journal)\n'
    (site / "harmless.py").write_text(note)
    (site / "threaded.py").write_text(note + "import threading, time\n"
                                      "threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()\n")
    (site / "needs_it.py").write_text("import threaded\n" + note)
    write(source / "app.py", "import harmless, needs_it\n" + APP)
    with Reloader(source, *uvicorn(), PYTHONPATH=str(site), DEVENV_RELOAD_DEBUG="1",
                  DEVENV_RELOAD_WARM_AFTER_S="0") as reloader:
        port = reloader.port()
        reloader.hears("are imported ahead, 2 cannot be")
        write(source / "app.py", "import harmless, needs_it\n" + edited("second"))
        reloader.hears("reloaded in ")
        assert get(port) == (200, "second")
        served_by = get(port, "/process")[1]
        imports = reloader.journal.read_text().splitlines()
        assert f"harmless {reloader.process.pid}" in imports
        assert f"harmless {served_by}" not in imports
        for name in ("threaded", "needs_it"):
            assert f"{name} {reloader.process.pid}" not in imports
            assert f"{name} {served_by}" in imports


def test_modules_of_the_reloader_are_in_nobodys_way(source):
    (source / "watch.py").write_text('TOKEN = "mine"\n')
    write(source / "app.py", "import watch\n" + APP.replace('"first"', "watch.TOKEN"))
    with Reloader(source, sys.executable, "-m", *uvicorn()) as reloader:
        assert get(reloader.port()) == (200, "mine")


def test_an_address_in_use_is_named(source):
    with Reloader(source, *uvicorn()) as first:
        port = first.port()
        with Reloader(source, "uvicorn", "app:app", "--port", str(port)) as second:
            second.hears(f"cannot listen on 127.0.0.1:{port}: Address already in use")
            assert second.ends() == 1


PROCESS = '''
import os, signal, sys, time
with open(os.environ["JOURNAL"], "a") as journal:
    print("{0}", file=journal)
{1}
time.sleep(3600)
'''


def test_a_process_is_started_again_and_a_failure_after_an_edit_waits_for_the_next(source):
    main = source / "main.py"
    main.write_text(PROCESS.format("first", ""))
    with Reloader(source, sys.executable, "-m", "main", kind="process", DEVENV_RELOAD_GRACE_S="0.2") as reloader:
        journal = reloader.journal
        eventually(lambda: journal.exists() and journal.read_text() == "first\n")
        write(main, PROCESS.format("deaf", "signal.signal(signal.SIGTERM, signal.SIG_IGN)"))
        reloader.hears("started again in ")
        eventually(lambda: "deaf" in journal.read_text())
        write(main, PROCESS.format("failing", "sys.exit(3)"))
        reloader.hears("did not end within 0.2 s of SIGTERM: it is killed")
        reloader.hears("the command failed right after the edit (exit code 3)")
        write(main, PROCESS.format("last", ""))
        eventually(lambda: journal.read_text() == "first\ndeaf\nfailing\nlast\n")
        reloader.process.send_signal(signal.SIGTERM)
        assert reloader.ends() == 128 + signal.SIGTERM


def test_a_process_that_ends_without_an_edit_ends_the_reloader(source):
    with Reloader(source, sys.executable, "-c", "raise SystemExit(5)", kind="process") as reloader:
        assert reloader.ends() == 5
