"""A real reloader around a real uvicorn, and clients that count what they lose."""

import asyncio
import http.client
import os
import re
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import websockets

RELOADER = Path(__file__).parents[2] / "devenv" / "reload"
DEADLINE_S = 60

APP = '''
import asyncio
import os
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

TOKEN = "first"


@asynccontextmanager
async def lifespan(app):
    with Path(os.environ["JOURNAL"]).open("a") as journal:
        print("start", TOKEN, file=journal, flush=True)
        yield
        print("stop", TOKEN, file=journal, flush=True)


async def token(request):
    await asyncio.sleep(float(request.query_params.get("after", 0)))
    return PlainTextResponse(TOKEN)


async def process(request):
    return PlainTextResponse(str(os.getpid()))


async def end(request):
    os._exit(7)


async def echo(websocket):
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnect:
        pass


app = Starlette(lifespan=lifespan, routes=[
    Route("/", token), Route("/process", process), Route("/end", end), WebSocketRoute("/echo", echo)])
'''


class Reloader:
    """The reloader as a process of its own, with what it says."""

    def __init__(self, source, *command, kind="asgi", more=(), **environment):
        self.source = source
        self.journal = source.parent / "journal"
        self.lines = []
        self._seen = 0
        self._news = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, str(RELOADER), "--kind", kind, "--source", str(source), *more, "--", *command],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, cwd=source.parent,
            env={**os.environ, "JOURNAL": str(self.journal), "PYTHONDONTWRITEBYTECODE": "", **environment})
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stderr.close()

    def _read(self):
        for line in self.process.stderr:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()

    def hears(self, text):
        """Wait for a line with `text` in it, behind the one that was waited for last."""
        end = time.monotonic() + DEADLINE_S
        with self._news:
            while True:
                for number in range(self._seen, len(self.lines)):
                    if text in self.lines[number]:
                        self._seen = number + 1
                        return self.lines[number]
                if not self._news.wait(end - time.monotonic()):
                    raise AssertionError(f"never said {text!r}:\n" + "\n".join(self.lines))

    def port(self):
        return int(re.search(r"http://127.0.0.1:(\d+)", self.hears("http://"))[1])

    def ends(self):
        return self.process.wait(DEADLINE_S)

    def children(self):
        return Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()


def uvicorn(app="app:app", *more):
    return ("uvicorn", app, "--host", "127.0.0.1", "--port", "0", *more)


def write(path, text):
    """Save as careful editors do: beside it, then renamed."""
    beside = path.with_name(f".{path.name}.beside")
    beside.write_text(text)
    beside.rename(path)


def get(port, path="/"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def eventually(condition):
    """Wait until `condition` holds; for what no line announces."""
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.01)


class Load:
    """Requests at a steady rate, on kept and on new connections, and open WebSockets."""

    def __init__(self, port):
        self.port = port
        self.answered = 0
        self.failures = []
        self.close_codes = []
        self.open_websockets = 0
        self._is_over = asyncio.Event()
        self._tasks = []

    def start(self, clients, each_per_s, websockets):
        for number in range(clients):
            self._tasks.append(asyncio.create_task(self._requests(each_per_s, is_kept=number % 2 == 0)))
        for _ in range(websockets):
            self._tasks.append(asyncio.create_task(self._websocket()))

    async def stop(self):
        self._is_over.set()
        await asyncio.gather(*self._tasks)

    async def _requests(self, per_s, is_kept):
        connection = None
        while not self._is_over.is_set():
            try:
                connection = connection or await asyncio.open_connection("127.0.0.1", self.port)
                answer = await asyncio.wait_for(self._ask(*connection, is_kept), DEADLINE_S)
                self.answered += 1
                if not is_kept or b"connection: close" in answer.lower():
                    connection = await self._hang_up(connection)
            except (OSError, EOFError, TimeoutError, AssertionError) as failure:
                self.failures.append(repr(failure))
                connection = await self._hang_up(connection)
            await asyncio.sleep(1 / per_s)
        await self._hang_up(connection)

    @staticmethod
    async def _hang_up(connection):
        if connection:
            connection[1].close()
            with suppress(OSError):
                await connection[1].wait_closed()

    @staticmethod
    async def _ask(reader, writer, is_kept):
        wish = b"" if is_kept else b"Connection: close\r\n"
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + wish + b"\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        await reader.readexactly(int(re.search(rb"content-length: (\d+)", head)[1]))
        return head

    async def _websocket(self):
        while not self._is_over.is_set():
            async with websockets.connect(f"ws://127.0.0.1:{self.port}/echo") as websocket:
                self.open_websockets += 1
                try:
                    while not self._is_over.is_set():
                        await websocket.send("ping")
                        assert await websocket.recv() == "ping"
                        await asyncio.sleep(0.5)
                except websockets.ConnectionClosed as closed:
                    self.close_codes.append(closed.rcvd.code if closed.rcvd else None)
                finally:
                    self.open_websockets -= 1
