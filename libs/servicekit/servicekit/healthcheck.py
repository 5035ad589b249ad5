"""The container's health check: asks the URL it is given; exit code 0 when the answer is 200.

It runs every half second while services start, so it imports only `socket` and `sys`: half the time of `http.client`.
"""

import socket
import sys

READY = "http://127.0.0.1:8080/readyz"


def ask(url: str = READY, timeout_s: float = 4.0) -> tuple[int, str]:
    """The status and body of a GET; `url` is of the form `http://host:port/path`."""
    address, _, path = url.removeprefix("http://").partition("/")
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port)), timeout_s) as connection:
        connection.sendall(f"GET /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.decode(errors="replace").partition("\r\n\r\n")
    return int(head.split(" ", 2)[1]), body


def main() -> int:
    """Print what is not ready, and return the exit code."""
    url = sys.argv[1] if len(sys.argv) > 1 else READY
    try:
        status, body = ask(url)
    except (OSError, IndexError, ValueError) as error:
        print(f"no answer from {url}: {error}")
        return 1
    print(body)
    return 0 if status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
