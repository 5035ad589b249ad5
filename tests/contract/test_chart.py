"""The Helm chart: with its own values it is what kustomize renders, and each value changes what it says."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from devenv.chart.holes import places
from tests.contract.test_manifests import OVERLAYS, SERVICES, program, run

ROOT = Path(__file__).parents[2]
DIGEST = "sha256:" + "a" * 64
JOB_HASH = re.compile(r"-[0-9a-f]{10}$")
SECRET_HASH = re.compile(r"^credentials-[a-z0-9]{10}$")
CANARY = "c4n4ry-in-the-secrets"


def devenv(*words, cwd=ROOT):
    done = subprocess.run([sys.executable, "-m", "devenv", *map(str, words)], cwd=cwd, capture_output=True, text=True,
                          timeout=120, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="session")
def charts(tmp_path_factory):
    """Overlay -> its chart."""
    folder = tmp_path_factory.mktemp("charts")
    return {name: devenv("chart", name, "--output", folder / name, "--version", "1.0.0") for name in OVERLAYS}


def helm(*words):
    return run(program("helm"), *words)


def objects(chart, *words, namespace="caas"):
    done = helm("template", "caas", chart, "--namespace", namespace, *words)
    assert done.returncode == 0, done.stderr
    return by_name(yaml.load_all(done.stdout, Loader=yaml.CSafeLoader))


def by_name(listed):
    """(kind, name) -> object; a name without the hash that content has given to it."""
    return {(one["kind"], base(one)): one for one in listed if one}


def base(one):
    name = one["metadata"]["name"]
    if one["kind"] == "Job":
        return JOB_HASH.sub("", name)
    return name.rpartition("-")[0] if one["kind"] == "ConfigMap" else name


def as_rendered(one):
    """What kustomize renders, less what Helm cannot or must not do: a local secret's hash."""
    for container, key, _ in places(one):
        if SECRET_HASH.match(str(container[key])):
            container[key] = "credentials"
    return one


@pytest.mark.parametrize("name", OVERLAYS)
def test_helm_finds_no_fault(charts, name):
    done = helm("lint", "--strict", charts[name])
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", OVERLAYS)
def test_with_its_own_values_it_is_what_kustomize_renders(charts, render, name):
    text, _ = render(f"overlays/{name}")
    theirs = by_name(as_rendered(one) for one in yaml.safe_load_all(text) if one["kind"] != "Secret")
    ours = objects(charts[name], "--set", "namespace.create=true")
    for (kind, called), one in ours.items():
        if kind == "Job":
            assert JOB_HASH.search(one["metadata"]["name"]), "a Job that changes needs another name"
            one["metadata"]["name"] = called
    assert ours.keys() == theirs.keys()
    for key, one in theirs.items():
        assert ours[key] == one, key


def changes(before, after):
    """`Kind/name: path` of every scalar that differs; `Kind/name` of every object that only one side has."""
    found = {f"{kind}/{name}" for kind, name in before.keys() ^ after.keys()}
    for kind, name in before.keys() & after.keys():
        left, right = ({trail: container[key] for container, key, trail in places(side[kind, name])}
                       for side in (before, after))
        found |= {f"{kind}/{name}: {'.'.join(str(word) for word in trail if not isinstance(word, int))}"
                  for trail in left.keys() | right.keys() if left.get(trail) != right.get(trail)}
    return found


CONTAINERS = "spec.template.spec.containers"
PODS = [f"Deployment/{name}" for name in SERVICES] + ["Job/init"]
IMAGES = {f"{pod}: {CONTAINERS}.image" for pod in PODS}
CHANGES = [
    ("registry=ghcr.io/acme/", {*IMAGES, "Job/init: metadata.name"}),
    (f"images.gateway.digest={DIGEST}", {f"Deployment/gateway: {CONTAINERS}.image"}),
    (f"images.messaging.digest={DIGEST}", {
        f"Deployment/messaging: {CONTAINERS}.image", f"Job/init: {CONTAINERS}.image", "Job/init: metadata.name"}),
    ("replicas.gateway.min=5", {"HorizontalPodAutoscaler/gateway: spec.minReplicas"}),
    ("replicas.sockets.max=50", {"HorizontalPodAutoscaler/sockets: spec.maxReplicas"}),
    ("hosts.gateway=chat.acme.io", {"Ingress/gateway: spec.rules.host", "Ingress/gateway: spec.tls.hosts"}),
    ("ingress.gateway.className=other", {"Ingress/gateway: spec.ingressClassName"}),
    ("ingress.gateway.annotations.cert-manager\\.io/cluster-issuer=own",
     {"Ingress/gateway: metadata.annotations.cert-manager.io/cluster-issuer"}),
    ("config.backends.REDIS_URL=rediss://redis.acme.io/0", {
        "ConfigMap/backends: data.REDIS_URL", "ConfigMap/backends: metadata.name", "Job/init: metadata.name",
        *(f"{pod}: {CONTAINERS}.envFrom.configMapRef.name" for pod in PODS)}),
    ("secrets.credentials=own", {
        "ExternalSecret/credentials: spec.target.name", "Job/init: metadata.name",
        *(f"{pod}: {CONTAINERS}.env.valueFrom.secretKeyRef.name" for pod in PODS)}),
    ("customResources.ExternalSecret=false", {"ExternalSecret/credentials"}),
    ("namespace.create=true", {"Namespace/caas"}),
]


@pytest.mark.parametrize(("value", "expected"), CHANGES, ids=[value.partition("=")[0] for value, _ in CHANGES])
def test_a_value_changes_what_it_says_and_nothing_else(charts, value, expected):
    chart = charts["production"]
    assert changes(objects(chart), objects(chart, "--set", value)) == expected


def test_every_value_is_read_by_a_template(charts, tmp_path):
    chart = charts["production"]
    before = objects(chart)
    defaults = yaml.safe_load(helm("show", "values", chart).stdout)
    for container, key, trail in places(defaults):
        kept = container[key]
        container[key] = {bool: not kept, int: 4, str: DIGEST if key == "digest" else "other"}[type(kept)]
        file = tmp_path / "values.yaml"
        file.write_text(yaml.safe_dump(defaults))
        assert changes(before, objects(chart, "--values", file)), f"{'.'.join(trail)} changes nothing"
        container[key] = kept


def test_what_is_in_a_namespace_goes_into_the_releases(charts):
    before = objects(charts["production"])
    expected = {f"{kind}/{name}: metadata.namespace" for kind, name in before} | {"Job/init: metadata.name"}
    found = changes(before, objects(charts["production"], namespace="elsewhere"))
    assert found <= expected and expected - found <= {"Job/init: metadata.name"}


@pytest.mark.parametrize(("value", "problem"), [
    ("replicas.gateway.min=0", "minimum"), ("replica.gateway.min=3", "replica"),
    ("images.gateway.digest=abc", "pattern"), ("config.settings.LOG_LEVEL=5", "string"), ("hosts.gateway=", "gateway"),
])
def test_a_wrong_value_is_refused_before_anything_is_installed(charts, value, problem):
    done = helm("template", "caas", charts["staging"], "--set", value)
    assert done.returncode != 0
    assert "values don't meet the specifications of the schema" in done.stderr and problem in done.stderr


def test_images_of_a_build_take_the_place_of_the_overlays(tmp_path):
    words = [word for name in SERVICES for word in ("--image", f"{name}=ghcr.io/acme/{name}@{DIGEST}")]
    chart = devenv("chart", "production", "--output", tmp_path, *words)
    used = {container[key] for one in objects(chart).values() for container, key, trail in places(one)
            if trail[-1] == "image"}
    assert used == {f"ghcr.io/acme/{name}@{DIGEST}" for name in SERVICES}
    assert yaml.safe_load(helm("show", "values", chart).stdout)["registry"] == "ghcr.io/acme"


@pytest.fixture
def clone(tmp_path):
    def make(name):
        """What this working tree is, committed: the same commit in every clone, whatever its path."""
        target = tmp_path / name / "caas"
        target.parent.mkdir()
        for word in ("k8s", "compose", "docker-compose.yml", "devenv.toml"):
            (shutil.copytree if (ROOT / word).is_dir() else shutil.copy)(ROOT / word, target / word)
            (target / "services").mkdir(parents=True, exist_ok=True)
        date = "2026-01-01T00:00:00Z"
        who = {f"GIT_{part}_{what}": value for part in ("AUTHOR", "COMMITTER")
               for what, value in (("NAME", "x"), ("EMAIL", "x@example.com"), ("DATE", date))}
        for words in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "--message", "x")):
            done = run("git", "-C", target, *words, env={**os.environ, **who})
            assert done.returncode == 0, done.stderr
        return target

    return make


def test_the_same_commit_gives_the_same_bytes(clone, tmp_path):
    first, second = (Path(devenv("chart", "staging", "--output", tmp_path / name, cwd=clone(f"clone-{name}")))
                     for name in ("a", "b"))
    assert first.name == second.name and "dirty" not in first.name
    assert first.read_bytes() == second.read_bytes()


def test_no_secret_is_packed(clone, tmp_path):
    here = clone("planted")
    (here / "k8s" / "overlays" / "local" / ".secrets.env").write_text("".join(
        f"{name}={CANARY}\n" for name in ("MONGODB_PASSWORD", "KAFKA_PASSWORD", "REDIS_PASSWORD", "MINIO_PASSWORD",
                                          "DEMO_API_KEY")))
    with tarfile.open(devenv("chart", "local", "--output", tmp_path, cwd=here)) as tar:
        texts = {entry.name: tar.extractfile(entry).read().decode() for entry in tar}
    assert "caas/templates/deployment-gateway.yaml" in texts
    for name, text in texts.items():
        assert CANARY not in text and "YzRuNHJ5" not in text, name
