import os
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
4 that is the time to the last good release, the way back and its proof included.

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
    """Fault -> its row of the table; `make test-faults` writes them down."""
    rows = {}
    yield rows
    if rows and "DEVENV_FAULT_ROUNDS" in os.environ:
        lines = TABLE.read_text().split("|---|\n")[-1].splitlines()
        kept = {line.split(" | ")[0].removeprefix("| "): line for line in lines}
        kept.update({name: f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items()})
        TABLE.write_text(HEADER + "".join(f"{line}\n" for line in kept.values()))


@pytest.fixture
def attempt(trial, told):
    """Run `devenv` under a fault, put down what came of it, and hold it to what was expected."""

    def run(fault, code, *words, at="", act=lambda: None, before=None, instead_of="", **environment):
        before, began = before or trial.digests(), monotonic()
        done = trial.interrupted(*(words or PROMOTE), at=at, act=act, **environment)
        took_s = monotonic() - began
        after = trial.digests()
        took_s = max(took_s, float(told.pop(instead_of, ("0",))[-1]))
        told[fault] = (str(code), str(done.returncode), short(before), short(after), f"{took_s:.0f}")
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


def short(digests):
    return ", ".join(f"{name} {digest.removeprefix('sha256:')[:8]}" for name, digest in sorted(digests.items()))
