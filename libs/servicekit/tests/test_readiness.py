import asyncio

from servicekit.readiness import Readiness


def counted(log, name, error=None):
    async def check():
        log.append(name)
        if error:
            raise error

    return check


async def test_ready_when_every_backend_answers():
    readiness = Readiness()
    readiness.checks = {"mongodb": counted([], "mongodb"), "kafka": counted([], "kafka")}
    report = await readiness.report()
    assert report["ready"]
    assert [report["checks"][name]["ok"] for name in ("mongodb", "kafka")] == [True, True]


async def test_one_failing_backend_makes_it_unready_and_the_others_are_still_asked():
    asked = []
    readiness = Readiness()
    readiness.checks = {"kafka": counted(asked, "kafka", OSError("refused")), "mongodb": counted(asked, "mongodb")}
    report = await readiness.report()
    assert not report["ready"]
    assert report["checks"]["kafka"]["error"] == "OSError: refused"
    assert report["checks"]["mongodb"]["ok"]
    assert sorted(asked) == ["kafka", "mongodb"]


async def test_a_backend_that_hangs_is_given_up():
    readiness = Readiness(timeout_s=0.01)
    readiness.checks = {"minio": asyncio.Event().wait}
    report = await readiness.report()
    assert report["checks"]["minio"]["error"] == "no answer within 0.01 s"


async def test_a_storm_of_probes_asks_once():
    asked = []
    readiness = Readiness(ttl_s=60)
    readiness.checks = {"mongodb": counted(asked, "mongodb")}
    await asyncio.gather(*(readiness.report() for _ in range(50)))
    assert asked == ["mongodb"]


async def test_an_answer_is_forgotten_after_its_time():
    asked = []
    readiness = Readiness(ttl_s=0)
    readiness.checks = {"mongodb": counted(asked, "mongodb")}
    await readiness.report()
    await readiness.report()
    assert asked == ["mongodb", "mongodb"]
