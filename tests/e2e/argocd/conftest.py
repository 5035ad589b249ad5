import json
import os
import shutil
import sys
import time

import pytest
import yaml

from devenv.engine import Engine
from devenv.images import recipes
from devenv.images.resolve import resolve
from devenv.shell import Runner
from tests.e2e.argocd.project import BRANCH, NAMESPACES, ByCommit, Hands, pushed
from tests.e2e.checkout import ROOT, docker
from tests.e2e.cluster import PORT_OFFSET, git, kind_with_registry
from tests.e2e.promotion.cluster import trial_on

# A look at the branch every 20 s (k8s/addons/argocd), pods, and two cores.
DEADLINE_S = 180
ARGOCD = f"quay.io/argoproj/argocd:v{recipes.load('argocd').version}"
REDIS = "redis:8"


class ArgoCD:
    """What Argo CD says and the cluster has, asked by kubectl."""

    def __init__(self, cluster):
        self.kubectl, self.began = cluster.kubectl(), time.monotonic()

    def say(self, text):
        """A line of the protocol that `-s` shows."""
        sys.stderr.write(f"{time.monotonic() - self.began:7.1f} s  {text}\n")

    def status(self, environment):
        text = self.kubectl.within("argocd").read("get", "application", f"caas-{environment}", "--output", "json",
                                                  "--ignore-not-found")
        return json.loads(text or "{}").get("status", {})

    def refresh(self, environment):
        self.kubectl.within("argocd").read("annotate", "application", f"caas-{environment}", "--overwrite",
                                           "argocd.argoproj.io/refresh=normal")

    def wait(self, environment, commit):
        """Return once it is synced to this commit and healthy; fails with what Argo CD says of it."""
        def arrived(status):
            return (status.get("sync", {}).get("status"), status.get("sync", {}).get("revision"),
                    status.get("health", {}).get("status")) == ("Synced", commit, "Healthy")

        self.until(environment, arrived)
        self.say(f"{environment}: Synced to {commit[:12]}, Healthy")

    def until(self, environment, arrived):
        deadline = time.monotonic() + DEADLINE_S
        while not arrived(status := self.status(environment)):
            assert time.monotonic() < deadline, json.dumps(
                {key: status.get(key) for key in ("sync", "conditions", "operationState", "health")}, indent=1)[:6000]
            time.sleep(1)

    def items(self, environment, kinds):
        return self.kubectl.within(NAMESPACES[environment]).items(kinds)

    def images(self, environment):
        """Deployment -> the image that it is told to run, and that its ready pods run by their node's word."""
        told = {one["metadata"]["name"]: one["spec"]["template"]["spec"]["containers"][0]["image"].rpartition("@")[2]
                for one in self.items(environment, "deployments")}
        run = {one["metadata"]["labels"]["app"]: each["imageID"].rpartition("@")[2]
               for one in self.items(environment, "pods") if "deletionTimestamp" not in one["metadata"]
               for each in one["status"].get("containerStatuses", []) if each["ready"]}
        return told, run


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    with kind_with_registry(tmp_path_factory.mktemp("cluster"), "argocd", PORT_OFFSET) as made:
        yield made


@pytest.fixture(scope="session")
def argocd(cluster):
    """Argo CD, running from k8s/addons/argocd."""
    made, registry = cluster
    here = ArgoCD(made)
    images = resolve([ARGOCD, REDIS], engine=Engine(), runner=Runner(), offline=False,
                     logs=made.project.state / "logs")
    registry.push((images[one].reference, registry.mirrored(one)) for one in (ARGOCD, REDIS))
    docker("rmi", *(registry.mirrored(one) for one in (ARGOCD, REDIS)))
    definitions = docker("run", "--rm", images[ARGOCD].reference, "sh", "-c",
                         "for f in /usr/local/share/argocd/crds/*-crd.yaml; do echo ---; cat $f; done")
    kubectl = here.kubectl.within("argocd")
    kubectl.read("apply", "--server-side", "--filename", "-", stdin=definitions)
    here.kubectl.read("apply", "--server-side", "--kustomize", str(ROOT / "k8s" / "addons" / "argocd" / "core"))
    kubectl.read("create", "secret", "generic", "argocd-redis", "--from-literal", "auth=not-a-secret-here")
    for one in ("deployment/argocd-redis", "deployment/argocd-repo-server",
                "deployment/argocd-applicationset-controller", "statefulset/argocd-application-controller"):
        kubectl.read("rollout", "status", one, "--timeout=240s", timeout_s=250)
    here.say("Argo CD runs")
    return here


@pytest.fixture(scope="session")
def served(cluster, tmp_path_factory):
    """An empty repository, and the address by which the cluster's network alone reaches it."""
    made, _ = cluster
    folder = tmp_path_factory.mktemp("served")
    git(folder, "init", "--quiet", "--bare", f"--initial-branch={BRANCH}", "trial.git")
    name = f"{made.name}-git"
    docker("run", "--detach", "--rm", "--name", name, "--network", "kind", "--user", str(os.getuid()),
           "--label", f"devenv.project={made.project.name}", "--volume", f"{folder}:/srv:ro", "--read-only",
           "--cap-drop", "ALL", "--env", "GIT_CONFIG_COUNT=1", "--env", "GIT_CONFIG_KEY_0=safe.directory",
           "--env", "GIT_CONFIG_VALUE_0=*", recipes.load("argocd").reference,
           "git", "daemon", "--export-all", "--base-path=/srv", "/srv")
    try:
        address = docker("inspect", "--format", "{{.NetworkSettings.Networks.kind.IPAddress}}", name)
        yield folder / "trial.git", f"git://{address}/trial.git"
    finally:
        docker("rm", "--force", name, check=False)


@pytest.fixture(scope="session")
def told(argocd, served, tmp_path_factory):
    """k8s/argocd with the address of this repository and the namespaces of this cluster."""
    folder = tmp_path_factory.mktemp("told")
    shutil.copytree(ROOT / "k8s" / "argocd", folder / "argocd")
    (folder / "argocd" / "repository.env").write_text(f"URL={served[1]}\nBRANCH={BRANCH}\n")
    places = [{"environment": name, "cluster": "in-cluster", "namespace": namespace}
              for name, namespace in NAMESPACES.items()]
    here = [{"name": "in-cluster", "namespace": namespace} for namespace in NAMESPACES.values()]
    (folder / "kustomization.yaml").write_text(yaml.safe_dump({"resources": ["argocd"], "patches": [
        {"target": {"kind": "ApplicationSet"}, "patch": yaml.safe_dump(
            [{"op": "replace", "path": "/spec/generators/0/list/elements", "value": places}])},
        {"target": {"kind": "AppProject"}, "patch": yaml.safe_dump(
            [{"op": "replace", "path": "/spec/destinations", "value": here}])},
    ]}))
    argocd.kubectl.read("apply", "--server-side", "--kustomize", str(folder))
    argocd.until("staging", lambda status: status.get("conditions"))
    argocd.say("k8s/argocd is applied; nothing is committed yet")
    return argocd


@pytest.fixture(scope="session")
def hands(told, served, tmp_path_factory):
    return Hands(tmp_path_factory.mktemp("hands") / "clone", served[0])


@pytest.fixture(scope="session")
def versions(cluster):
    """Two images of one service."""
    return [pushed(cluster[1].host, version) for version in ("one", "two")]


@pytest.fixture(scope="session")
def trial(cluster, told, served, tmp_path_factory):
    """The small project, promoted once."""
    one = trial_on(*cluster, tmp_path_factory.mktemp("trial"), ByCommit)
    try:
        one.follow(served[0])
        one.tested()
        one.promote()
        yield one
    finally:
        one.run("down")
        one.remove_images()

