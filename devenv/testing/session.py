"""One process's test session: what it has handed out, and what has to be mended after each test."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

from devenv.engine import Engine
from devenv.errors import DevenvError
from devenv.project import find
from devenv.testing import damage, plan
from devenv.testing.container import aliases
from devenv.testing.handles import Backend, Control, Handle, Service
from devenv.testing.isolation import Isolation
from devenv.testing.kinds import load
from devenv.testing.opening import take
from devenv.testing.plan import Plan
from devenv.testing.records import Record
from devenv.testing.sets import ContainerSet
from devenv.testing.turns import Turns


@dataclass(frozen=True)
class Options:
    """What the command line and the configuration of pytest say."""

    root: Path
    run: str
    reuse: bool
    idle_limit_s: float
    is_shared: bool  # several workers use one set
    snapshot: str = ""  # what the backends' data is at the start


@dataclass(frozen=True)
class Platform:
    """The whole platform, running."""

    session: Session = field(repr=False)

    def backend(self, name: str) -> Backend:
        """The handle of a backend; raises UsageError for any other name."""
        return self.session.backend(name)

    def service(self, name: str) -> Service:
        """The handle of a service; raises UsageError for any other name."""
        return self.session.service(name)


class Session:
    """Opens a set when the first test asks for a backend; a session whose tests ask for none costs nothing."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.soon: frozenset[str] = frozenset()  # kinds that later tests will ask for
        self.handles: dict[str, Handle] = {}
        self._given: dict[str, Handle] = {}  # those that a test may have used
        self._isolations: list[Isolation] = []
        self._turns: Turns | None = None
        self._is_testing = self._is_alone = False

    @cached_property
    def engine(self) -> Engine:
        """The engine; raises DevenvError, with the next move, unless it answers."""
        engine = Engine(timeout_s=30)
        engine.ping()
        return engine

    @cached_property
    def plan(self) -> Plan:
        """What the project defines; raises UsageError outside of a project."""
        project = find(self.options.root)
        made = plan.load(project, self.engine)
        if not self.options.snapshot:
            return made
        from devenv.testing import seeded

        return replace(made, seed=seeded.load(project, self.options.snapshot))

    @cached_property
    def set(self) -> ContainerSet:
        """The set of this run."""
        one = self.options
        lease, is_kept = take(self.plan, self.engine, one.run, one.reuse, one.idle_limit_s)
        if one.is_shared:
            self._turns = Turns(lease.directory)
            if self._is_testing:
                self._turns.enter(self._is_alone)
        return ContainerSet(self.plan, self.engine, one.run, lease, is_kept, self._baseline)

    @property
    def is_open(self) -> bool:
        """Whether any test has asked for anything yet."""
        return "set" in self.__dict__

    def backend(self, name: str) -> Backend:
        """The handle of a backend, started if need be; raises UsageError, with a suggestion, for any other name."""
        self.plan.backend(name)
        self.use([name])
        handle = self.handles[name]
        assert isinstance(handle, Backend)
        return handle

    def of_kind(self, kind: str) -> Backend:
        """The handle of the project's one backend of this kind."""
        return self.backend(self.plan.of_kind(kind))

    def service(self, name: str) -> Service:
        """The handle of a service, started with all it needs; raises UsageError for any other name."""
        self.plan.service(name)
        self.use([name])
        handle = self.handles[name]
        assert isinstance(handle, Service)
        return handle

    def platform(self) -> Platform:
        """Everything outside Compose profiles, started."""
        self.use(self.plan.model.select(()))
        return Platform(self)

    def isolation(self) -> Isolation:
        """Names for the running test; what lies under them is deleted at its end."""
        made = Isolation(self)
        self._isolations.append(made)
        return made

    def use(self, names: Iterable[str]) -> None:
        """Start `names`, and keep an eye on them from now on."""
        wanted = tuple(names)
        if not wanted:
            return
        self.set.ensure(wanted, soon=self._soon())
        for name in self.plan.model.select(wanted):
            if name not in self.plan.model.one_shots:
                self._given[name] = self._handle(self.set.known[name])

    def control(self, name: str) -> Control:
        """What a handle of this definition does things with."""
        return Control(self.engine, self.set.id, self._before_harm, partial(self.set.wait_usable, name))

    def begin_test(self, is_alone: bool) -> None:
        """A test that may use backends begins; `is_alone`: no other one uses them until it has ended."""
        self._is_testing, self._is_alone = True, is_alone
        if self._turns:
            self._turns.enter(is_alone)

    def end_test(self, is_last: bool) -> list[str]:
        """Clean up and mend after a test; returns a line for each backend that it had damaged.

        Nothing is done after the last test, whose set goes anyway.
        """
        goes = is_last and not self.options.is_shared and self.is_open and not self.set.reuse
        try:
            return [] if goes or not self.is_open else self._mend()
        finally:
            self._isolations.clear()
            self._is_testing = False
            if self._turns:
                self._turns.leave()

    def close(self) -> None:
        """The session ends."""
        if not self.is_open:
            return
        for handle in self.handles.values():
            damage.forget(handle)
        self.set.close()
        if self._turns:
            self._turns.close()

    def _mend(self) -> list[str]:
        found: dict[str, str] = {}
        lost: dict[str, str] = {}
        for isolation in self._isolations:
            isolation.close()
        for name, handle in self._given.items():
            self.set.refresh(name)
            if finding := damage.look(self.engine, handle, self.set.id):
                (lost if finding.is_lost else found)[name] = finding.reason
                damage.repair(handle, self.set.id)
        backends = {name: one for name, one in self._given.items() if isinstance(one, Backend)}
        for name, backend in backends.items():
            reason = "" if name in lost else self._clean(backend) or damage.try_out(
                backend, self.set.known[name], partial(self.set.operation, name))
            if reason:
                lost[name] = reason
        if lost:
            self._renew([name for name in self.plan.model.select(lost) if name in lost])
        repaired = [f"{name}: {reason}; repaired" for name, reason in found.items() if name not in lost]
        return [*repaired, *(f"{name}: {reason}; started anew" for name, reason in lost.items())]

    def _renew(self, names: list[str]) -> None:
        """Make them anew and restart the services that need them, whichever worker started those, and wait for each.

        Services hold what went with the old container: connections, cached keys, positions in a topic.
        """
        self._before_harm()
        for name in names:
            damage.forget(self.handles[name])
        self.set.recycle(names)
        model = self.plan.model
        for name in model.select(model.services):
            is_user = model.services[name].is_built and name not in model.one_shots.union(names)
            if is_user and set(names) & set(model.select([name])) and (record := self.set.running(name)):
                self._handle(record).restart(timeout_s=0)

    def _clean(self, backend: Backend) -> str:
        """Delete what the test's isolation named; why that cannot be done, or an empty text.

        Without a client library it stays, under names that no other test has, until the set ends.
        """
        for isolation in self._isolations if backend.has_client else ():
            if problem := damage.attempt(backend, lambda name=isolation.name: backend.clean(name)):  # type: ignore[misc]
                return problem
        return ""

    def _soon(self) -> list[str]:
        """The backends that later tests will ask for, as far as the project has them."""
        return [name for name, kind in self.plan.kinds.items() if kind in self.soon]

    def _before_harm(self) -> None:
        if self._turns:
            self._turns.alone()

    def _baseline(self, record: Record) -> dict[str, object]:
        if not record.identity or record.name in self.plan.model.one_shots:
            return {}
        handle = self._handle(record)
        if not isinstance(handle, Backend) or not handle.has_client:
            return {}  # the health check's operation has to do
        try:
            return handle.mark()
        except DevenvError:
            raise
        except Exception as problem:  # each client library has its own
            raise DevenvError(
                f"`{record.name}` runs, but devenv cannot use it: {type(problem).__name__}: {problem}",
                "free some space if its disk is full; where its user or password cannot be seen in its environment, "
                "say it: `x-devenv: {username: ..., password: ...}`",
            ) from None

    def _handle(self, record: Record) -> Handle:
        if record.name not in self.handles:
            kind = self.plan.kinds.get(record.name)
            made = Service if kind is None else load(kind) if kind else Backend
            self.handles[record.name] = made(
                record.name, record.container, record.ports, self.plan.environment(record.name),
                self.plan.definition(record.name), tuple(aliases(record.name, self.plan.definition(record.name))),
                self.control(record.name))
        return self.handles[record.name]
