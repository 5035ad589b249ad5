"""The pytest plugin. It is loaded in every run of pytest, so nothing of it is imported before a test asks."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from errno import ENOSPC
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from devenv.errors import DevenvError
    from devenv.testing.handles import Backend, Service
    from devenv.testing.isolation import Isolation
    from devenv.testing.kinds.kafka import Kafka
    from devenv.testing.kinds.minio import Minio
    from devenv.testing.kinds.mongodb import Mongodb
    from devenv.testing.kinds.redis import Redis
    from devenv.testing.session import Platform, Session

_KINDS = frozenset({"mongodb", "kafka", "redis", "minio"})
_FIXTURES = _KINDS | {"devenv_backend", "devenv_service", "devenv_platform", "devenv_isolation"}
_SESSION = pytest.StashKey["Session"]()
_WANTED = pytest.StashKey[frozenset[str]]()
_IS_ALONE = pytest.StashKey[bool]()
_ALONE, _PROPERTY = "devenv_alone", "devenv"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options."""
    group = parser.getgroup("devenv", "real backends and services from the project's Compose files")
    group.addoption("--devenv-reuse", action="store_true",
                    help="Keep the containers for the next run; `devenv down` or an idle limit ends them.")
    group.addoption("--devenv-snapshot", metavar="NAME", default=None,
                    help="Let the backends begin with the data of this snapshot (`devenv snapshot save NAME`).")
    parser.addini("devenv_snapshot", "The same, for every run.", default="")
    parser.addini("devenv_idle_limit_s", "Seconds after which kept containers that nobody uses end (default: 1800).",
                  default="1800")


def pytest_configure(config: pytest.Config) -> None:
    """Name our marker, and collect what workers report."""
    config.addinivalue_line("markers", f"{_ALONE}: with several workers, no other test uses the containers meanwhile.")
    config.pluginmanager.register(_Summary(), "devenv-summary")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note which backends the chosen tests will ask for, so that they start side by side."""
    wanted = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    session.config.stash[_WANTED] = frozenset(wanted & _KINDS)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Let a test that may use backends wait its turn."""
    if _uses(item):
        item.config.stash[_IS_ALONE] = is_alone = item.get_closest_marker(_ALONE) is not None
        if session := item.config.stash.get(_SESSION, None):
            session.begin_test(is_alone)
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, Any, Any]:
    """After the test and its own fixtures: clean up, look for damage, and mend it before the next test."""
    try:
        return (yield)
    finally:
        session = item.config.stash.get(_SESSION, None)
        if session and _uses(item):
            with _plainly():
                for line in session.end_test(is_last=nextitem is None):
                    item.user_properties.append((_PROPERTY, f"{item.nodeid} left {line}"))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Give the set up."""
    if opened := session.config.stash.get(_SESSION, None):
        opened.close()


@pytest.fixture(scope="session")
def devenv_session(request: pytest.FixtureRequest) -> Session:
    """The plugin's own state; tests ask for the fixtures below."""
    from devenv.testing.session import Options, Session

    config = request.config
    workers = getattr(config, "workerinput", None)  # of pytest-xdist
    run = str(workers["testrunuid"])[:12] if workers else uuid4().hex[:12]
    session = Session(Options(
        root=config.rootpath, run=run, reuse=config.getoption("--devenv-reuse"),
        idle_limit_s=float(config.getini("devenv_idle_limit_s")), is_shared=workers is not None,
        snapshot=config.getoption("--devenv-snapshot") or config.getini("devenv_snapshot")))
    session.soon = config.stash.get(_WANTED, frozenset())
    config.stash[_SESSION] = session
    session.begin_test(config.stash.get(_IS_ALONE, False))
    return session


@pytest.fixture(scope="session")
def mongodb(devenv_session: Session) -> Mongodb:
    """The project's MongoDB."""
    found: Mongodb = _of_kind(devenv_session, "mongodb")
    return found


@pytest.fixture(scope="session")
def kafka(devenv_session: Session) -> Kafka:
    """The project's Kafka."""
    found: Kafka = _of_kind(devenv_session, "kafka")
    return found


@pytest.fixture(scope="session")
def redis(devenv_session: Session) -> Redis:
    """The project's Redis."""
    found: Redis = _of_kind(devenv_session, "redis")
    return found


@pytest.fixture(scope="session")
def minio(devenv_session: Session) -> Minio:
    """The project's MinIO."""
    found: Minio = _of_kind(devenv_session, "minio")
    return found


@pytest.fixture(scope="session")
def devenv_backend(devenv_session: Session) -> Callable[[str], Backend]:
    """Any backend, by the name it has in the Compose file."""
    return _plain(devenv_session.backend)


@pytest.fixture(scope="session")
def devenv_service(devenv_session: Session) -> Callable[[str], Service]:
    """Any service, built from its source as it is, with all it needs."""
    return _plain(devenv_session.service)


@pytest.fixture(scope="session")
def devenv_platform(devenv_session: Session) -> Platform:
    """The whole platform."""
    with _plainly():
        return devenv_session.platform()


@pytest.fixture
def devenv_isolation(devenv_session: Session) -> Isolation:
    """The test's own database, topics, groups, keys and buckets; deleted after it."""
    return devenv_session.isolation()


class _Summary:
    """Names the tests that damaged a backend, whichever worker ran them."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect what was mended."""
        if report.when == "teardown":
            self.lines += [str(value) for key, value in report.user_properties if key == _PROPERTY]

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Show it."""
        if self.lines:
            terminalreporter.section("devenv: backends that tests damaged")
            for line in self.lines:
                terminalreporter.line(line)


def _uses(item: pytest.Item) -> bool:
    return not _FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))


def _of_kind(session: Session, kind: str) -> Any:
    with _plainly():
        return session.of_kind(kind)


def _plain(function: Callable[[str], Any]) -> Callable[[str], Any]:
    def call(name: str) -> Any:
        with _plainly():
            return function(name)

    return call


@contextmanager
def _plainly() -> Iterator[None]:
    """Render our failures as what they are: a message with a next move, not a traceback through our code."""
    from devenv.errors import DevenvError, from_os_error

    try:
        yield
    except DevenvError as problem:
        raise _failure(problem) from None
    except OSError as problem:
        if problem.errno != ENOSPC:
            raise
        raise _failure(from_os_error(problem)) from None


def _failure(problem: DevenvError) -> BaseException:
    hint = f"\nhint: {problem.hint}" if problem.hint else ""
    return pytest.fail.Exception(f"devenv: {problem.message}{hint}", pytrace=False)
