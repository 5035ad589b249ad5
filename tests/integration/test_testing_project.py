"""The plugin in a project that is not this one: isolation, order, workers, damage."""

from __future__ import annotations

import random

import pytest

from tests.integration.other_project import OtherProject, counts

ISOLATED = """
    from pathlib import Path
    import pytest

    @pytest.mark.parametrize("number", range(12))
    def test_sees_only_its_own(redis, devenv_isolation, number):
        prefix = devenv_isolation.key_prefix
        with Path(__file__).with_name("ids").open("a") as ids:
            ids.write(redis.control.engine.container(redis.container)["Id"] + "\\n")
        with redis.client() as client:
            assert list(client.scan_iter(f"{prefix}*")) == []
            for one in range(20):
                client.set(f"{prefix}{one}", number)
            assert {client.get(key) for key in client.scan_iter(f"{prefix}*")} == {str(number)}

    def test_name_in_the_compose_file(redis, devenv_backend):
        assert devenv_backend("cache") is redis
        assert redis.password == "s3cret"
"""


@pytest.fixture(scope="module", autouse=True)
def suite(project: OtherProject) -> None:
    project.write("test_isolated.py", ISOLATED)


@pytest.fixture
def nothing_warm(project: OtherProject) -> None:
    """Other tests of this module keep a set warm, in whatever order they come."""
    project.end()
    project.wait_until_gone()


@pytest.mark.usefixtures("nothing_warm")
def test_run_leaves_nothing_behind(project: OtherProject) -> None:
    done = project.pytest("test_isolated.py")
    assert counts(done) == {"passed": 13}, done.stdout
    assert project.leftovers() == []


@pytest.mark.usefixtures("nothing_warm")
def test_shuffled_workers_share_one_set_and_do_not_see_each_other(project: OtherProject) -> None:
    seed = random.randrange(10_000)
    (project.root / "ids").unlink(missing_ok=True)
    done = project.pytest("-p", "xdist", "-n", "4", "--shuffle", str(seed), "test_isolated.py")
    assert counts(done) == {"passed": 13}, f"seed {seed}: {done.stdout}"
    assert len(project.noted("ids")) == 12
    assert len(set(project.noted("ids"))) == 1
    assert project.leftovers() == []


def test_data_of_a_test_is_deleted_after_it(project: OtherProject) -> None:
    project.write("test_order.py", """
        def test_first(redis, devenv_isolation):
            with redis.client() as client:
                client.set(devenv_isolation.key_prefix + "x", 1)
                client.set("not isolated", 1)

        def test_second(redis):
            with redis.client() as client:
                assert sorted(client.keys()) == ["devenv:mark", "not isolated"]
    """)
    done = project.pytest("--devenv-reuse", "test_order.py")
    assert counts(done) == {"passed": 2}, done.stdout


DAMAGES = {
    "left paused; repaired": "redis.pause()",
    "left off the network; repaired": "redis.disconnect()",
    "not running (exit code 0); started anew": "redis.stop()",
    "not running (exit code 137); started anew": "redis.kill()",
    "its data was deleted; started anew": "redis.client().flushall()",
    "its configuration was changed; started anew": 'redis.client().config_set("maxmemory-policy", "allkeys-lru")',
    "its container was removed; started anew":
        'redis.control.engine.delete(f"/containers/{redis.container}", force=1)',
}


def test_damage_is_found_named_and_mended_before_the_next_test(project: OtherProject) -> None:
    tests = [f"def test_damage_{number}(redis):\n    {code}\n\n"
             f"def test_after_{number}(redis):\n    with redis.client() as client:\n        assert client.ping()\n\n"
             for number, code in enumerate(DAMAGES.values())]
    project.write("test_damage.py", "\n".join(tests))
    done = project.pytest("--devenv-reuse", "-W", "ignore::ResourceWarning", "-W",
                          "ignore::pytest.PytestUnraisableExceptionWarning", "test_damage.py")
    assert counts(done) == {"passed": 2 * len(DAMAGES)}, done.stdout
    for number, reason in enumerate(DAMAGES):
        assert f"test_damage.py::test_damage_{number} left cache: {reason}" in done.stdout


def test_undamaged_backend_is_left_alone(project: OtherProject) -> None:
    assert "devenv:" not in project.pytest("--devenv-reuse", "test_isolated.py").stdout


def test_test_that_hurts_a_backend_has_it_to_itself(project: OtherProject) -> None:
    project.write("test_hurt.py", """
        import pytest

        @pytest.mark.parametrize("number", range(24))
        def test_works(redis, devenv_isolation, number):
            with redis.client(socket_timeout=5) as client:
                for one in range(50):
                    client.set(f"{devenv_isolation.key_prefix}{one}", number)

        @pytest.mark.parametrize("harm", ["pause", "kill", "disconnect", "stop"])
        def test_hurts(redis, harm):
            from redis.exceptions import ConnectionError, TimeoutError
            from redis.retry import Retry
            from redis.backoff import NoBackoff
            with getattr(redis, harm)(), redis.client(socket_timeout=0.2, socket_connect_timeout=0.2,
                                                      retry=Retry(NoBackoff(), 0)) as client:
                with pytest.raises((ConnectionError, TimeoutError)):
                    client.ping()
            with redis.client() as client:
                assert client.ping()
    """)
    seed = random.randrange(10_000)
    done = project.pytest("-p", "xdist", "-n", "4", "--shuffle", str(seed), "test_hurt.py")
    assert counts(done) == {"passed": 28}, f"seed {seed}: {done.stdout}"


def test_marked_test_has_the_backends_to_itself_from_its_start(project: OtherProject) -> None:
    project.write("test_alone.py", """
        from pathlib import Path
        from time import sleep
        import pytest

        def note(text):
            with Path(__file__).with_name("notes").open("a") as notes:
                notes.write(f"{text}\\n")

        @pytest.mark.devenv_alone
        @pytest.mark.parametrize("number", range(4))
        def test_alone(redis, number):
            note(f"begin {number}")
            sleep(0.2)
            with redis.pause():
                sleep(0.2)
            note(f"end {number}")

        @pytest.mark.parametrize("number", range(12))
        def test_hurts(redis, number):
            with redis.pause():
                note("hurt")
                sleep(0.02)
    """)
    seed = random.randrange(10_000)
    done = project.pytest("-p", "xdist", "-n", "4", "--shuffle", str(seed), "test_alone.py")
    assert counts(done) == {"passed": 16}, f"seed {seed}: {done.stdout}"
    notes = project.noted("notes")
    assert notes.count("hurt") == 12
    for number in range(4):
        assert notes[notes.index(f"begin {number}") + 1] == f"end {number}", f"seed {seed}: {notes}"


def test_project_without_the_client_library_still_gets_the_backend(project: OtherProject) -> None:
    project.write("test_bare.py", """
        import socket
        import sys
        import pytest
        from devenv.errors import DevenvError

        sys.modules["redis"] = None

        def test_speaks_the_protocol_itself(redis, devenv_isolation):
            with socket.create_connection((redis.host, redis.port), 5) as connection:
                connection.sendall(b"AUTH %s\\r\\n" % redis.password.encode())
                assert connection.recv(100) == b"+OK\\r\\n"

        def test_asks_for_the_client(redis):
            with pytest.raises(DevenvError, match="a client for `cache` needs `redis`"):
                redis.client()

        def test_leaves_it_broken(redis):
            redis.pause()
    """)
    done = project.pytest("--devenv-reuse", "test_bare.py")
    assert counts(done) == {"passed": 3}, done.stdout
    assert "devenv: backends that tests damaged" in done.stdout
    assert "left cache: left paused; repaired" in done.stdout
    assert "started anew" not in done.stdout
