"""The sample admission policies on a real API server: what they refuse once a namespace asks for them, and what not."""

import json
import time

import pytest

from devenv.doctor.programs import use_folder
from devenv.errors import CommandError
from devenv.project import find
from devenv.runtimes.kind.cluster import Cluster
from devenv.shell import Runner
from tests.e2e.checkout import ROOT

LOOSE, EXACT = "busybox:1", f"busybox@sha256:{'a' * 64}"
PROMOTED = {"devenv/receipt": "r1", "devenv/release": "r2"}
LABELS = ("devenv/images-by-digest=true", "devenv/only-released=true")


@pytest.fixture(scope="module")
def guarded(cluster):
    """`kubectl` in a namespace with both labels."""
    use_folder()
    kubectl = Cluster(find(cluster.root), Runner()).kubectl("guarded")
    policies = str(ROOT / "k8s" / "policies")
    try:
        kubectl.read("apply", "--server-side", "--kustomize", policies)
        kubectl.read("create", "namespace", "guarded")
        kubectl.read("label", "namespace", "guarded", *LABELS)
        wait_until_in_force(kubectl)
        yield kubectl
    finally:
        kubectl.read("delete", "namespace", "guarded", "--ignore-not-found", "--wait=false")
        kubectl.read("delete", "--ignore-not-found", "--kustomize", policies)


def wait_until_in_force(kubectl):
    """The API server learns of a new policy in its own time, as a watcher of what it stores itself."""
    deadline = time.monotonic() + 60
    for one in (pod(LOOSE), deployment({})):
        while "serverside-applied" in answer(kubectl, one):
            assert time.monotonic() < deadline, "no policy refuses anything"
            time.sleep(0.2)


def answer(kubectl, one):
    """What the API server says to an object; nothing is stored."""
    try:
        return kubectl.read("apply", "--server-side", "--dry-run=server", "--filename", "-", stdin=json.dumps(one))
    except CommandError as failure:
        return failure.output


def pod(image, **more):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
            "spec": {"containers": [{"name": "c", "image": image}], **more}}


def deployment(annotations):
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "annotations": annotations},
            "spec": {"selector": {"matchLabels": {"app": "d"}}, "template": {
                "metadata": {"labels": {"app": "d"}}, "spec": {"containers": [{"name": "c", "image": EXACT}]}}}}


def test_an_image_by_tag_is_refused_and_named(guarded):
    assert "not by digest: busybox:1. Promote the image" in answer(guarded, pod(LOOSE))


def test_an_init_container_counts_too(guarded):
    assert "not by digest: busybox:1." in answer(guarded, pod(EXACT, initContainers=[{"name": "i", "image": LOOSE}]))


def test_an_image_by_digest_is_accepted(guarded):
    assert "serverside-applied" in answer(guarded, pod(EXACT))


@pytest.mark.parametrize(("annotations", "said"), [
    ({}, "Deployment d has no devenv/receipt and no devenv/release."),
    ({"devenv/receipt": "r1"}, "Deployment d has no devenv/release."),
    ({**PROMOTED, "devenv/receipt": ""}, "Deployment d has no devenv/receipt."),
])
def test_a_workload_that_was_not_promoted_is_refused(guarded, annotations, said):
    assert said in answer(guarded, deployment(annotations))


def test_a_promoted_workload_is_accepted(guarded):
    assert "serverside-applied" in answer(guarded, deployment(PROMOTED))


def test_a_namespace_without_the_labels_is_left_alone(guarded):
    assert "serverside-applied" in answer(guarded.within("default"), pod(LOOSE))
    assert "serverside-applied" in answer(guarded.within("default"), deployment({}))
