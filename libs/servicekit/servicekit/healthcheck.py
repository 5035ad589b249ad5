"""The container's health check: asks localhost:8080/readyz; exit code 0 when ready.

It runs every half second while services start, so it imports only `socket` and `sys`: half the time of `http.client`.
"""

import socket
import sys


def ask(port: int = 8080, timeout_s: float = 4.0) -> tuple[int, str]:
    """The status and body of GET /readyz."""
    with socket.create_connection(("127.0.0.1", port), timeout_s) as connection:
        connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.decode(errors="replace").partition("\r\n\r\n")
    return int(head.split(" ", 2)[1]), body


def main() -> int:
    """Print what is not ready, and return the exit code."""
    try:
        status, body = ask()
    except (OSError, IndexError, ValueError) as error:
        print(f"no answer on 127.0.0.1:8080/readyz: {error}")
        return 1
    print(body)
    return 0 if status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
