import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from servicekit import healthcheck


@pytest.mark.parametrize("status", [200, 503])
async def test_it_reports_what_readyz_says(status):
    asked = []

    async def answer(reader, writer):
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(f"HTTP/1.1 {status} Whatever\r\ncontent-length: 2\r\n\r\n{{}}".encode())
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await asyncio.to_thread(healthcheck.ask, f"http://127.0.0.1:{port}/readyz") == (status, "{}")
    assert asked[0].startswith(f"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n".encode())


def test_it_imports_nothing_slow():
    package = Path(healthcheck.__file__).parents[1]
    code = f"import sys; sys.path.insert(0, {str(package)!r}); import servicekit.healthcheck; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert not {"http", "ssl", "email", "starlette", "pydantic"} & set(result.stdout.split())
