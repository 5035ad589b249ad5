import os
import ssl
import subprocess
from pathlib import Path

import pytest

from tests.e2e.checkout import Checkout, copy_of_the_working_tree
from tests.e2e.flow import Client

PORT_OFFSET = 4300


class KindCheckout(Checkout):
    """A checkout whose platform runs on a kind cluster of its own, rolled out by devenv itself."""

    def up(self, *words, **environment):
        answer = self.json("up", "--k8s", "--port-offset", str(self.port_offset), *words, **environment)
        self.urls = {one["service"]: one["url"].rstrip("/") for one in answer["endpoints"]}
        return answer

    def kubectl(self, *words, check=True):
        done = subprocess.run(
            ["kubectl", "--kubeconfig", str(self.root / ".devenv" / "kind" / "kubeconfig"),
             "--context", f"kind-{self.name}", "--namespace", "caas", *words],
            capture_output=True, text=True, timeout=180, check=False, env=with_programs(),
        )
        assert not check or done.returncode == 0, f"kubectl {words}: {done.stderr}"
        return done.stdout.strip()

    def trust(self):
        data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
        return ssl.create_default_context(cafile=str(data / "devenv" / "ca.crt"))

    def remove(self):
        self.run("down", "--delete")
        super().remove()


def with_programs():
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "devenv", "bin")
    return {**os.environ, "PATH": os.pathsep.join([os.environ["PATH"], *map(str, cache.glob("*"))])}


def without_tilt():
    """A PATH on which Tilt is not, so that devenv rolls out by itself."""
    folders = os.environ["PATH"].split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if not Path(folder, "tilt").exists())


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """A platform on kind, without Tilt; its path has what paths should not need to avoid."""
    root = copy_of_the_working_tree(tmp_path_factory.mktemp("a cluster ü"))
    made = KindCheckout(root, PORT_OFFSET)
    try:
        made.up(PATH=without_tilt())
        yield made
    finally:
        made.remove()


@pytest.fixture
async def client(cluster):
    async with Client(cluster.urls["gateway"], cluster.secret("DEMO_API_KEY"), cluster.trust()) as one:
        yield one
