"""Without devenv, on its cluster: `kubectl apply -k` and `tilt` as a person types them (docs/guides/by-hand.md)."""

import os
import shutil
import signal
import subprocess

import pytest

from tests.e2e.flow import next_of, until
from tests.e2e.kind.conftest import PORT_OFFSET, with_programs, without_tilt

TILT = pytest.mark.skipif(shutil.which("tilt") is None, reason="Tilt is in no package registry, and is not on PATH")


@pytest.fixture(scope="module", autouse=True)
def _back_to_devenv(cluster):
    """What was applied by hand has the usual ports, which another checkout may have: devenv takes over again."""
    yield
    cluster.up(PATH=without_tilt())
    assert {one["condition"] for one in cluster.status().values()} <= {"usable", "done"}


def tilt_argv(cluster, verb, *words):
    where = ["--host", "127.0.0.1", "--port", str(10350 + PORT_OFFSET), "--context", f"kind-{cluster.name}"]
    return ["tilt", verb, *where, *(["--stream"] if verb == "up" else []), *words]


def by_hand(cluster):
    """A shell in the checkout, with the cluster's kubeconfig."""
    kubeconfig = cluster.root / ".devenv" / "kind" / "kubeconfig"
    return {"cwd": cluster.root, "env": {**with_programs(), "KUBECONFIG": str(kubeconfig)}}


async def a_message_gets_through(client):
    conversation = await client.conversation("by hand")
    async with client.stream(conversation) as stream:
        await next_of(stream, "ready")
        sent = await client.send(conversation, "hello")
        assert (await next_of(stream, "message.created"))["message"]["id"] == sent["id"]


async def test_kubectl_applies_the_overlay(cluster, client):
    cluster.kubectl("delete", "job", "init", "--wait")
    done = subprocess.run(["kubectl", "apply", "-k", "k8s/overlays/local"], **by_hand(cluster), capture_output=True,
                          text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    cluster.kubectl("wait", "job/init", "--for=condition=complete", "--timeout=120s")
    for name in ("gateway", "messaging", "sockets", "billing"):
        cluster.kubectl("rollout", "status", f"deployment/{name}", "--timeout=170s")
    images = cluster.kubectl("get", "deployments", "-o", "jsonpath={.items[*].spec.template.spec.containers[*].image}")
    assert set(images.split()) == {"gateway", "messaging", "sockets", "billing"}
    await a_message_gets_through(client)


@TILT
async def test_tilt_rolls_out(cluster, client):
    done = subprocess.run(tilt_argv(cluster, "ci"), **by_hand(cluster), capture_output=True, text=True, timeout=400,
                          check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    await a_message_gets_through(client)


@TILT
async def test_tilt_copies_edits_into_the_pods_of_a_cluster_that_runs_elsewhere(cluster, client, tmp_path):
    """`--live=sync`: no mount, no reloader of ours, and still the same pod."""
    path = cluster.root / "libs" / "servicekit" / "servicekit" / "app.py"
    original = path.read_text()

    async def edited():
        answer = await client.http.get("/healthz")
        return answer.json().get("edited") if answer.status_code == 200 else None

    def name():
        return cluster.kubectl("get", "pods", "-l", "app.kubernetes.io/name=gateway", "-o",
                               "jsonpath={.items[*].metadata.name}")

    with (tmp_path / "log").open("w") as log:
        tilt = subprocess.Popen(tilt_argv(cluster, "up", "--", "--live=sync"), **by_hand(cluster), stdout=log,
                                stderr=log, start_new_session=True)
    try:
        async def synced():
            text = cluster.kubectl("get", "deployment", "gateway", "-o",
                                   "jsonpath={.spec.template.spec.containers[0].args}{.status.unavailableReplicas}")
            return "--app-dir=/code" in text and text.endswith("]")

        await until(synced, True, "Tilt did not roll out", 300)
        cluster.kubectl("rollout", "status", "deployment/gateway", "--timeout=120s")
        before = name()
        path.write_text(original.replace('{"alive": True}', '{"alive": True, "edited": 1}'))
        await until(edited, 1, f"the edit was not served:\n{(tmp_path / 'log').read_text()[-2000:]}", 60)
        assert name() == before
    finally:
        path.write_text(original)
        os.killpg(tilt.pid, signal.SIGTERM)
        tilt.wait()
