"""A way to the API server that can fall silent: connections are taken and kept, and nothing comes back."""

import socket
from contextlib import suppress
from threading import Event, Thread


class Proxy:
    """Listens on 127.0.0.1 and passes bytes on to `port` of this machine."""

    def __init__(self, port: int) -> None:
        self.target = ("127.0.0.1", port)
        self.speaking = Event()
        self.speaking.set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> "Proxy":
        return self

    def __exit__(self, *_: object) -> None:
        self.speaking.set()
        end(self.listener)

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(self.target)
                for pair in ((client, server), (server, client)):
                    Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self.speaking.wait()
                target.sendall(data)
        end(source)
        end(target)


def end(one: socket.socket) -> None:
    """Closed under a thread that waits for it, a socket would stay open until that thread comes back."""
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
