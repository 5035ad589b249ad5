import os
from pathlib import Path

import pytest

from devenv.runtimes.kind.cluster import NODE_HTTP
from tests.e2e.cluster import kind_with_registry
from tests.e2e.promotion.project import Trial

PORT_OFFSET = 4500
TABLE = Path(__file__).parents[3] / "docs" / "reference" / "promotion-faults.md"
HEADER = """# What happens when a promotion fails

    make test-faults

Written by that run, on a kind cluster with two services: the fault is in one of them, the other one's image is new.
Digests are those that the pods run. Seconds: from the command to its exit, the way back and its proof included.

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
    made, registry = cluster
    uid = made.kubectl().read("get", "namespace", "kube-system", "--output", "jsonpath={.metadata.uid}")
    one = Trial(tmp_path_factory.mktemp("trial"), f"kind-{made.name}", made.kubeconfig, uid, registry.host,
                f"http://localhost:{made.host_port(NODE_HTTP)}/")
    try:
        one.tested()
        one.promote()
        yield one
    finally:
        one.run("down")
        one.remove_images()


@pytest.fixture(scope="session")
def told():
    """Rows of the table of faults; `make test-faults` writes them down."""
    rows = []
    yield rows
    if rows and "DEVENV_FAULT_ROUNDS" in os.environ:
        TABLE.write_text(HEADER + "".join(f"| {' | '.join(row)} |\n" for row in rows))
