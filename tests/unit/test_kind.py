import json
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from devenv.errors import DevenvError, UsageError
from devenv.images import recipes
from devenv.project import find
from devenv.runtimes.kind import orphans, runtime, tilt
from devenv.runtimes.kind.cluster import NODE_HTTPS, Cluster
from devenv.runtimes.kind.context import KindUp
from devenv.runtimes.kind.images import node_image
from devenv.runtimes.kind.manifests import Overlay, folder_of, render, write_overlay, write_secrets
from devenv.runtimes.kind.registry import Registry
from devenv.runtimes.kind.up import check_cluster
from devenv.runtimes.request import Request
from tests.unit.fakes import FakeEngine, FakeRunner

RENDERED = """
apiVersion: v1
kind: ConfigMap
metadata: {name: backends-abcdef1234, namespace: shop}
data: {PUBLIC: "https://localhost:8443/x", OTHER: "1"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {spec: {initContainers: [{image: wait}], containers: [{image: web}, {image: "mongo:8.0"}]}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  tls: [{secretName: web-tls}]
  rules: [{http: {paths: [{path: /, backend: {service: {name: web}}}]}}]
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "compose.yaml").write_text("name: Shop_1\nservices: {}\n")
    overlay = tmp_path / "k8s" / "overlays" / "local"
    overlay.mkdir(parents=True)
    (overlay / "kustomization.yaml").write_text("resources: []\n")
    found = find(tmp_path)
    found.remember(found.checkout.__class__(found.checkout.name, 300))
    found.__dict__.pop("checkout")
    return found


@pytest.fixture
def overlay(project):
    return render(FakeRunner({"kubectl kustomize": RENDERED}), folder_of(project, as_built=True))


def test_what_an_overlay_says_is_read_from_its_objects(overlay):
    assert overlay.namespace == "shop"
    assert overlay.images == ("wait", "web", "mongo:8.0")
    assert overlay.tls_secrets == ("web-tls",)
    assert overlay.paths == {"web": ["/"]}


def test_the_applied_overlay_has_this_checkouts_images_and_ports(project, overlay):
    folder = write_overlay(project, overlay, {"web": "localhost:5301/web:1a2b"}, {8443: 8743})
    data = json.loads("\n".join((folder / "kustomization.yaml").read_text().splitlines()[1:]))
    assert (folder / data["resources"][0]).resolve() == overlay.folder
    assert data["images"] == [{"name": "web", "newName": "localhost:5301/web", "newTag": "1a2b"}]
    assert data["configMapGenerator"] == [
        {"name": "backends", "behavior": "merge", "literals": ["PUBLIC=https://localhost:8743/x"]}]


def test_with_the_usual_ports_nothing_is_moved(project, overlay):
    folder = write_overlay(project, overlay, {}, {8443: 8443})
    assert "configMapGenerator" not in (folder / "kustomization.yaml").read_text()


def test_manifests_that_cannot_be_rendered_are_named_with_kustomizes_own_words(project):
    with pytest.raises(UsageError, match="cannot be rendered"):
        render(FakeRunner({"kubectl kustomize": 1}), project.root)


def test_broken_yaml_is_named_with_its_file_and_line(project):
    overlay = folder_of(project, as_built=True)
    (overlay / "kustomization.yaml").write_text("resources: [service.yaml]\n")
    (overlay / "service.yaml").write_text("kind: Service\n  name: web\n")
    with pytest.raises(UsageError, match=r"local/service.yaml:2: broken YAML"):
        render(FakeRunner({"kubectl kustomize": 1}), overlay)


def test_a_project_without_manifests_says_where_they_would_be(tmp_path):
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    with pytest.raises(UsageError, match="k8s/overlays/local"):
        folder_of(find(tmp_path), as_built=False)


def test_secrets_of_a_persons_own_are_left_alone(project):
    folder = project.root / "k8s" / "overlays" / "local"
    write_secrets(folder, {"A": "1"})
    assert (folder / ".secrets.env").stat().st_mode & 0o777 == 0o600
    write_secrets(folder, {"A": "2"})
    assert "A=2" in (folder / ".secrets.env").read_text()
    (folder / ".secrets.env").write_text("A=mine\n")
    write_secrets(folder, {"A": "3"})
    assert (folder / ".secrets.env").read_text() == "A=mine\n"


def test_a_cluster_has_a_name_that_kind_accepts_and_ports_of_its_own(project):
    cluster = Cluster(project, FakeRunner())
    assert cluster.name.startswith("shop-1-") and cluster.name == cluster.name.lower()
    assert cluster.host_port(NODE_HTTPS) == 8743 and cluster.url() == "https://localhost:8743"


def test_a_port_that_would_listen_beyond_this_machine_is_refused(project):
    (project.root / "k8s" / "kind.yaml").write_text(
        "kind: Cluster\nnodes: [{role: control-plane, extraPortMappings: [{containerPort: 30443, hostPort: 1}]}]\n")
    with pytest.raises(DevenvError, match="beyond this machine"):
        Cluster(project, FakeRunner()).configuration()


def test_every_kubectl_call_names_kubeconfig_and_context(project):
    cluster = Cluster(project, FakeRunner())
    words = cluster.kubectl("shop").argv("get", "pods")
    assert words[:5] == ("kubectl", "--kubeconfig", str(cluster.kubeconfig), "--context", f"kind-{cluster.name}")
    assert words[5:] == ("--namespace", "shop", "get", "pods")


@pytest.mark.parametrize(("wanted", "pushed"), [
    ("mongo:8.0", "docker.io/library/mongo:8.0"), ("quay.io/minio/minio:R", "quay.io/minio/minio:R"),
    ("web", "docker.io/library/web:latest"),
])
def test_images_are_pushed_under_their_whole_upstream_name(project, wanted, pushed):
    registry = Registry(Cluster(project, FakeRunner()), FakeEngine(), FakeRunner())
    assert registry.mirrored(wanted) == f"localhost:5301/{pushed}"


def test_a_registry_that_goes_takes_the_names_of_its_images_along(project):
    engine = FakeEngine({"/images/json": [
        {"RepoTags": ["localhost:5301/web:1", "web:1"]}, {"RepoTags": ["localhost:53010/web:1"]}, {"RepoTags": None}]})
    Registry(Cluster(project, FakeRunner()), engine, FakeRunner()).delete()
    assert [path for method, path, _ in engine.calls if path.startswith("/images/") and method == "DELETE"] == [
        "/images/localhost:5301/web:1"]


def test_an_overlay_without_workloads_has_the_default_namespace(tmp_path):
    assert Overlay(tmp_path, ()).namespace == "default"


def test_only_the_program_that_a_killed_up_left_is_ended():
    argv = (sys.executable.rpartition("/")[2], "-c", "import time; time.sleep(60)", "caas-1")
    left = subprocess.Popen([sys.executable, *argv[1:]])
    other = subprocess.Popen([sys.executable, *argv[1:3], "caas-2"])
    try:
        # Between fork and exec, a process still has its parent's words.
        while Path(f"/proc/{left.pid}/cmdline").read_bytes() == Path("/proc/self/cmdline").read_bytes():
            pass
        assert orphans.end(argv) == [left.pid]
        assert left.wait() == -signal.SIGKILL and other.poll() is None
    finally:
        for one in (left, other):
            one.kill()
            one.wait()


def up_of(project, engine):
    return KindUp(project, FakeRunner(), engine, Request())


def test_ports_that_are_taken_are_all_named_before_anything_is_made(project):
    taken = "port 8780 .wanted by the cluster.*port 5301 .wanted by the registry"
    with (socket.create_server(("127.0.0.1", 8780)), socket.create_server(("127.0.0.1", 5301)),
          pytest.raises(DevenvError, match=taken) as failure):
        check_cluster(up_of(project, FakeEngine()))
    assert "--port-offset" in failure.value.hint


def test_a_cluster_of_this_name_that_this_checkout_did_not_make_is_refused(project):
    theirs = FakeEngine({"/containers/json": [{"Id": "1", "State": "running"}]})
    with pytest.raises(DevenvError, match="that this checkout did not make") as failure:
        check_cluster(up_of(project, theirs))
    assert failure.value.hint == f"kind delete cluster --name {Cluster(project, FakeRunner()).name}"


def test_a_kubeconfig_without_the_context_is_written_again(project):
    cluster = Cluster(project, FakeRunner())
    cluster.state.mkdir(parents=True)
    cluster.ensure_kubeconfig()
    cluster.kubeconfig.write_text("contexts:\n- name: another\n")
    cluster.ensure_kubeconfig()
    cluster.kubeconfig.write_text(f"contexts:\n- name: kind-{cluster.name}\n")
    cluster.ensure_kubeconfig()
    assert [call.split()[1] for call in cluster.runner.calls] == ["export", "export"]


@pytest.mark.parametrize(("version", "accepted"), [("v0.37.3, built 2026-05-01", False), ("v0.37.4-dev", True)])
def test_a_tilt_whose_screen_any_page_could_use_is_refused(project, monkeypatch, tmp_path, version, accepted):
    (project.root / "Tiltfile").touch()
    (tmp_path / "tilt").write_text("#!/bin/sh\n")
    (tmp_path / "tilt").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    runner = FakeRunner({"tilt version": version})
    if accepted:
        assert tilt.is_there(runner, project)
    else:
        with pytest.raises(DevenvError, match="GHSA") as failure:
            tilt.is_there(runner, project)
        assert "install Tilt 0.37.4 or newer" in failure.value.hint


def test_the_node_is_the_one_that_the_project_names(project):
    assert node_image(project) == f"kindest/node:v{recipes.load('kind-node').version}"
    (project.root / "k8s" / "versions.json").write_text('{"kubernetes": "1.34", "kind_node": "kindest/node:v1.34.11"}')
    assert node_image(project) == "kindest/node:v1.34.11"


@pytest.mark.parametrize(("pod", "said"), [
    ({"phase": "Running", "startTime": 3 * 60 + 5}, "Running 3m"),
    ({"phase": "Running", "startTime": 3600 + 9, "containerStatuses": [{"restartCount": 2}]}, "Running 1h, 2 restarts"),
    ({"phase": "Running", "startTime": 50 * 3600}, "Running 2d"),
    ({"phase": "Pending"}, "Pending"),
    ({"phase": "Running", "startTime": 5,
      "containerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}, "CrashLoopBackOff"),
    ({"phase": "Succeeded", "startTime": 5}, "Succeeded"),
])
def test_a_pod_is_told_with_its_age(pod, said):
    if "startTime" in pod:
        started = datetime.now(UTC) - timedelta(seconds=pod["startTime"])
        pod = {**pod, "startTime": f"{started:%Y-%m-%dT%H:%M:%SZ}"}
    assert runtime._sentence({"status": pod}) == said
