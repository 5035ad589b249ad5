"""A kind cluster with its registry, images and add-ons, into which something other than devenv puts the platform."""

import json
import subprocess
from contextlib import contextmanager
from dataclasses import replace
from urllib.request import Request, urlopen

from devenv.doctor.programs import ensure_programs
from devenv.engine import Engine
from devenv.images.resolve import resolve
from devenv.project import Checkout, find
from devenv.runtimes.kind.cluster import Cluster
from devenv.runtimes.kind.images import REGISTRY_IMAGE, node_image
from devenv.runtimes.kind.registry import PORT as REGISTRY_PORT
from devenv.runtimes.kind.registry import Registry
from devenv.runtimes.kind.up import roll_out
from devenv.shell import Runner
from tests.e2e.kind.conftest import KindCheckout, with_programs, without_tilt

# Beside the platforms of the other suites; one suite at a time has it.
PORT_OFFSET = 4700
MANIFEST = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"


class BareCluster(KindCheckout):
    """`up --k8s`, ended before it rolls the platform out; `namespace` is where `kubectl` looks."""

    namespace = "default"

    def __init__(self, root, namespace):
        super().__init__(root, PORT_OFFSET)
        self.namespace = namespace

    def start(self):
        done = self.run("up", "--k8s", "--as-built", "--port-offset", str(PORT_OFFSET), check=False,
                        PATH=without_tilt(), DEVENV_FAILPOINT=f"{roll_out.__name__}:before")
        ready = self.kubectl("get", "--raw", "/readyz", check=False)
        assert ready == "ok", f"the cluster is not there:\n{done.stderr}"
        return self

    @property
    def kubeconfig(self):
        return self.root / ".devenv" / "kind" / "kubeconfig"

    @property
    def context(self):
        return f"kind-{self.name}"

    @property
    def registry(self):
        return f"localhost:{REGISTRY_PORT + PORT_OFFSET}"

    def kubectl(self, *words, check=True, stdin=None, namespace=None):
        return self.program("kubectl", "--kubeconfig", self.kubeconfig, "--context", self.context,
                            "--namespace", namespace or self.namespace, *words, check=check, stdin=stdin).strip()

    def program(self, *words, check=True, stdin=None):
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=900, check=False,
                              env=with_programs(), input=stdin)
        assert not check or done.returncode == 0, f"{words}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def objects(self, kinds, *words, namespace=None):
        return json.loads(self.kubectl("get", kinds, "--output", "json", *words, namespace=namespace))["items"]

    def pushed(self, name, tag=None):
        """An image in the cluster's registry, by digest; without `tag` it is the only one of that name."""
        if tag is None:
            (tag,) = json.load(urlopen(f"http://{self.registry}/v2/{name}/tags/list"))["tags"]
        url = f"http://{self.registry}/v2/{name}/manifests/{tag}"
        asked = Request(url, headers={"Accept": MANIFEST}, method="HEAD")
        return f"{self.registry}/{name}@{urlopen(asked).headers['Docker-Content-Digest']}"


@contextmanager
def kind_with_registry(root, name, port_offset):
    """A kind cluster and its registry, and nothing in it; `devenv` reaches it by its kubeconfig alone."""
    (root / "compose.yaml").write_text(f"name: {name}\nservices: {{}}\n")
    project, runner, engine = find(root), Runner(), Engine()
    project.remember(replace(project.checkout, port_offset=port_offset))
    project = find(root)
    assert project.checkout == Checkout(project.name, port_offset)
    ensure_programs(("kind", "kubectl"), runner, engine, root / "logs")
    wanted = (node_image(project), REGISTRY_IMAGE)
    images = resolve(wanted, engine=engine, runner=runner, offline=False, logs=root / "logs")
    made = Cluster(project, runner)
    registry = Registry(made, engine, runner)
    try:
        registry.start(images[REGISTRY_IMAGE].reference)
        made.create(images[node_image(project)].reference)
        registry.connect()
        yield made, registry
    finally:
        made.delete()
        registry.delete()


def git(root, *words):
    """Git in a repository of the tests, with a name of its own."""
    who = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    done = subprocess.run(["git", "-C", str(root), *who, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()
