"""GET /readyz: a real operation on each backend, remembered for a moment so that probes are no load."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

# Returns when the backend answered, raises when it did not.
Check = Callable[[], Awaitable[object]]
log = logging.getLogger(__name__)


class Readiness:
    """The checks of a service, run together and at most once per `ttl_s`."""

    def __init__(self, ttl_s: float = 1.0, timeout_s: float = 2.0) -> None:
        self.checks: Mapping[str, Check] = {}
        self.ttl_s = ttl_s
        self.timeout_s = timeout_s
        self._lock = asyncio.Lock()
        self._answer: dict[str, Any] = {"ready": False, "checks": {}}
        self._valid_until = 0.0

    async def report(self) -> dict[str, Any]:
        """`{"ready": bool, "checks": {backend: {"ok", "duration_ms", "error"?}}}`."""
        async with self._lock:
            if time.monotonic() >= self._valid_until:
                results = await asyncio.gather(*(self._run(check) for check in self.checks.values()))
                before, checks = self._answer, dict(zip(self.checks, results, strict=True))
                self._answer = {"ready": all(result["ok"] for result in results), "checks": checks}
                self._valid_until = time.monotonic() + self.ttl_s
                if self._answer["ready"] != before["ready"]:
                    log.info("ready" if self._answer["ready"] else "not ready", extra={"checks": checks})
            return self._answer

    async def _run(self, check: Check) -> dict[str, Any]:
        begun = time.monotonic()
        result: dict[str, Any] = {"ok": True}
        try:
            async with asyncio.timeout(self.timeout_s):
                await check()
        except TimeoutError:
            result = {"ok": False, "error": f"no answer within {self.timeout_s:g} s"}
        except Exception as error:
            result = {"ok": False, "error": f"{type(error).__name__}: {error}"[:300]}
        return result | {"duration_ms": round((time.monotonic() - begun) * 1000, 1)}

    async def readyz(self, request: Request) -> JSONResponse:
        """GET /readyz."""
        report = await self.report()
        return JSONResponse(report, 200 if report["ready"] else 503)
