import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import pytest

from tests.e2e.cluster import kind_with_registry
from tests.e2e.promotion.cluster import trial_on
from tests.e2e.promotion.proxy import Proxy

PORT_OFFSET = 4500
PROMOTE = ("promote", "staging", "--yes")
TABLE = Path(__file__).parents[3] / "docs" / "reference" / "promotion-faults.md"
HEADER = """# What happens when a promotion fails

    make test-faults

Written by that run, on a kind cluster with two services; a row that a run leaves out stays as the last one saw it.
Where the fault is in a service, the other one's image is new. Exit codes: 0 done; 1 refused, and nothing was changed;
4 failed, and the release before runs again; 5 the way back failed too; 75 another promotion is at work. Digests are
those that ready pods run, as the node says. Seconds: from the command to its exit, of several rounds the longest; after
4 that is the time to the last good release, the way back and its proof included. What 5 or a lost lease leaves is
mended by the command in the row that follows.

| fault | exit code expected | seen | digests before | after | seconds |
|---|---|---|---|---|---|
"""


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """A kind cluster with a registry, standing for an environment; `devenv` reaches it by its kubeconfig alone."""
    with kind_with_registry(tmp_path_factory.mktemp("cluster"), "promoted", PORT_OFFSET) as made:
        yield made


@pytest.fixture(scope="session")
def trial(cluster, tmp_path_factory):
    """The small project, promoted once."""
    one = trial_on(*cluster, tmp_path_factory.mktemp("trial"))
    try:
        one.tested()
        one.promote()
        yield one
    finally:
        one.run("down")
        one.remove_images()


@pytest.fixture(scope="session")
def told():
    """Fault -> its rounds, each a row of the table; `make test-faults` writes them down."""
    seen = defaultdict(list)
    yield seen
    if seen and "DEVENV_FAULT_ROUNDS" in os.environ:
        lines = TABLE.read_text().split("|---|\n")[-1].splitlines()
        kept = {line.split(" | ")[0].removeprefix("| "): line for line in lines}
        kept.update({fault: row(fault, rounds) for fault, rounds in seen.items()})
        TABLE.write_text(HEADER + "".join(f"{line}\n" for line in kept.values()))


@pytest.fixture
def attempt(trial, told):
    """Run `devenv` under a fault, put down what came of it, and hold it to what was expected."""

    def run(fault, code, *words, at="", act=lambda: None, before=None, **environment):
        before, began = before or trial.digests(), monotonic()
        done = trial.interrupted(*(words or PROMOTE), at=at, act=act, **environment)
        took_s = monotonic() - began
        after = trial.digests()
        told[fault].append(Round(code, done.returncode, before, after, took_s))
        assert done.returncode == code, f"{fault}:\n{done.stdout}\n{done.stderr}"
        return Attempt(done.stdout, done.stderr, before, after)

    return run


@pytest.fixture(autouse=True)
def as_it_was(trial):
    """Each test begins and ends with manifests and settings that are good."""
    yield
    trial.manifests()
    trial.configure()
    trial.version("web", "one")
    trial.commit()


@pytest.fixture
def proxy(trial):
    """What stands between `devenv` and the API server."""
    with Proxy(trial.api_port()) as one:
        yield one


@pytest.fixture
def through(trial, proxy):
    """A kubeconfig that leads to the API server through the proxy."""
    return str(trial.kubeconfig_with("proxy", server=f"https://127.0.0.1:{proxy.port}"))


@dataclass(frozen=True)
class Attempt:
    """What a command said, and the digests that ran before and after it."""

    stdout: str
    stderr: str
    before: dict[str, str]
    after: dict[str, str]


@dataclass(frozen=True)
class Round:
    """One time that a fault was tried."""

    expected: int
    seen: int
    before: dict[str, str]
    after: dict[str, str]
    took_s: float


def row(fault, rounds):
    """The fault's row: every exit code that was seen, digests of the last round, the seconds of the longest."""
    last, codes = rounds[-1], ", ".join(str(code) for code in sorted({one.seen for one in rounds}))
    times = f" ({len(rounds)} times)" if len(rounds) > 1 else ""
    took_s = max(one.took_s for one in rounds)
    return (f"| {fault} | {last.expected} | {codes}{times} | {short(last.before)} | {short(last.after)} "
            f"| {took_s:.0f} |")


def short(digests):
    return ", ".join(f"{name} {digest.removeprefix('sha256:')[:8]}" for name, digest in sorted(digests.items()))
