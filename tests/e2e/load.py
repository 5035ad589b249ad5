"""A bounded, even load: so many requests a second, each counted, none retried."""

import asyncio
from collections import Counter
from contextlib import asynccontextmanager

import httpx


class Load:
    """GET `url` at `rate` a second until stopped, at most `limit_s`; half of it on connections that are kept."""

    def __init__(self, url, rate, limit_s=120, verify=True, headers=None):
        self.url, self.rate, self.limit_s, self.verify, self.headers = url, rate, limit_s, verify, headers
        self.outcomes = Counter()
        self.bodies = Counter()
        self.failed = []  # (second since the beginning, status or exception, what it said)
        self._stop = asyncio.Event()

    async def run(self):
        keep = httpx.Limits(max_connections=200, max_keepalive_connections=50)
        none = httpx.Limits(max_keepalive_connections=0)
        self._began = asyncio.get_running_loop().time()
        async with (
            httpx.AsyncClient(limits=keep, timeout=20, verify=self.verify, headers=self.headers) as kept,
            httpx.AsyncClient(limits=none, timeout=20, verify=self.verify, headers=self.headers) as fresh,
            asyncio.TaskGroup() as group,
        ):
            loop, began, number = asyncio.get_running_loop(), self._began, 0
            while not self._stop.is_set() and loop.time() - began < self.limit_s:
                group.create_task(self._one(kept if number % 2 else fresh))
                number += 1
                await asyncio.sleep(max(0.0, began + number / self.rate - loop.time()))

    async def _one(self, http):
        second = round(asyncio.get_running_loop().time() - self._began, 1)
        try:
            answer = await http.get(self.url)
        except httpx.HTTPError as failure:
            self.outcomes[type(failure).__name__] += 1
            self.failed.append((second, type(failure).__name__, str(failure)))
            return
        self.outcomes[answer.status_code] += 1
        self.bodies[answer.text] += 1
        if not answer.is_success:
            self.failed.append((second, answer.status_code, answer.text[:200]))

    def stop(self):
        self._stop.set()


@asynccontextmanager
async def under_load(url, rate, **options):
    """Run a load around a block; it has ended, and every request is answered, when the block is left."""
    load = Load(url, rate, **options)
    task = asyncio.create_task(load.run())
    try:
        yield load
    finally:
        load.stop()
        await task
