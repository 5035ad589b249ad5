import asyncio

from servicekit.background import background, keep_running, pause


async def test_failed_work_is_called_again():
    calls = []
    stop = asyncio.Event()

    async def work(stop):
        calls.append(len(calls))
        if len(calls) < 3:
            raise OSError("refused")
        stop.set()

    await keep_running("sample", work, stop, max_backoff_s=0.001)
    assert calls == [0, 1, 2]


async def test_a_failing_work_stops_during_its_pause():
    async def work(stop):
        raise OSError("refused")

    async with asyncio.timeout(5), background("sample", work):
        await asyncio.sleep(0)


async def test_work_is_asked_to_stop_and_awaited():
    events = []

    async def work(stop):
        await stop.wait()
        events.append("finished")

    async with background("sample", work):
        await asyncio.sleep(0)
        assert events == []
    assert events == ["finished"]


async def test_work_that_ignores_the_request_is_cut_off():
    events = []

    async def work(stop):
        try:
            await asyncio.Event().wait()
        finally:
            events.append("cut off")

    async with asyncio.timeout(5), background("sample", work, stop_timeout_s=0.01):
        await asyncio.sleep(0)
    assert events == ["cut off"]


async def test_a_pause_ends_when_stop_is_set():
    stop = asyncio.Event()
    asyncio.get_running_loop().call_soon(stop.set)
    async with asyncio.timeout(5):
        await pause(stop, 3600)
