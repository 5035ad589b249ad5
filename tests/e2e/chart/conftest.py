from pathlib import Path

import pytest

from tests.e2e.checkout import copy_of_the_working_tree
from tests.e2e.cluster import PORT_OFFSET, BareCluster, git
from tests.e2e.flow import Client

NAMESPACE = "by-helm"
URL = f"https://localhost:{8443 + PORT_OFFSET}"


class HelmCluster(BareCluster):
    """A cluster in which Helm installs the platform."""

    def helm(self, *words):
        return self.program("helm", "--kubeconfig", self.kubeconfig, "--kube-context", self.context,
                            "--namespace", NAMESPACE, *words)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    root = copy_of_the_working_tree(tmp_path_factory.mktemp("a chart ü"))
    # A chart says which commit it is made from.
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "x")
    made = HelmCluster(root, NAMESPACE)
    try:
        yield made.start()
    finally:
        made.remove()


@pytest.fixture(scope="session")
def chart(cluster):
    """The local overlay's chart, backends included, with the images that the registry holds."""
    services = sorted(path.name for path in (cluster.root / "services").iterdir() if path.is_dir())
    images = [word for name in services for word in ("--image", f"{name}={cluster.pushed(name)}")]
    return Path(cluster.run("chart", "local", "--version", "1.0.0", *images).stdout.strip())


@pytest.fixture(scope="session")
def released(cluster, chart):
    """A release, installed as docs/guides/helm-chart.md says; yields its own values."""
    cluster.kubectl("apply", "--filename", "-", stdin=cluster.helm(
        "template", "caas", chart, "--set", "namespace.create=true", "--show-only", "templates/namespace.yaml"))
    state = cluster.root / ".devenv"
    cluster.kubectl("create", "secret", "generic", "chat-credentials", "--from-env-file", state / "secrets.env")
    cluster.kubectl("create", "secret", "tls", "gateway-tls", "--cert", state / "kind" / "tls.crt",
                    "--key", state / "kind" / "tls.key")
    values = ["--set", "secrets.credentials=chat-credentials",
              "--set", f"config.backends.S3_PUBLIC_URL={URL}"]
    cluster.helm("install", "caas", chart, *values, "--wait", "--wait-for-jobs", "--timeout", "10m")
    return values


@pytest.fixture(scope="session")
def seeded(cluster, released):
    """The demo tenant and its key are there."""
    cluster.kubectl("create", "job", "--from=cronjob/seed", "seed-once")
    cluster.kubectl("wait", "job/seed-once", "--for=condition=Complete", "--timeout=180s")
    cluster.kubectl("delete", "job", "seed-once")


@pytest.fixture
async def client(cluster, seeded):
    async with Client(URL, cluster.secret("DEMO_API_KEY"), cluster.trust()) as one:
        yield one
