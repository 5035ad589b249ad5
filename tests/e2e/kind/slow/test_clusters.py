"""Clusters that come and go: two at once, killed while they are made, and a restart of all containers."""

import os
import signal
import time

import pytest
from websockets.exceptions import WebSocketException

from tests.e2e.checkout import copy_of_the_working_tree, docker
from tests.e2e.flow import Client, stored, until, whole_flow
from tests.e2e.kind.conftest import PORT_OFFSET, KindCheckout, without_tilt


@pytest.fixture
def second(tmp_path):
    """Another checkout of the same commit, beside the first."""
    made = KindCheckout(copy_of_the_working_tree(tmp_path / "second"), PORT_OFFSET + 20)
    try:
        yield made
    finally:
        made.remove()


async def test_an_up_killed_while_kind_works_is_mended_beside_another_checkouts_cluster(cluster, client, second):
    """The killed `up` leaves a `kind create` at work; two clusters then serve side by side."""
    second.run("status")
    killed = second.start("up", "--k8s", "--port-offset", str(second.port_offset), PATH=without_tilt())
    deadline = time.monotonic() + 120
    while not docker("ps", "-q", "--filter", f"name=^{second.name}-control-plane$"):
        assert killed.poll() is None and time.monotonic() < deadline, "kind made no node"
        time.sleep(0.1)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    second.up(PATH=without_tilt())
    assert second.name != cluster.name
    async with Client(second.urls["gateway"], second.secret("DEMO_API_KEY"), second.trust()) as other:
        await whole_flow(other)
        await whole_flow(client)
    second.run("down", "--delete")
    assert docker("ps", "-aq", "--filter", f"name={second.name}") == ""
    await whole_flow(client)


async def test_a_restart_of_the_engines_containers_keeps_everything(cluster, client):
    """As after a restart of the engine: node and registry stop and start, and `up` finds them running."""
    conversation, sent = await whole_flow(client)
    docker("restart", "--time", "20", f"{cluster.name}-control-plane", f"{cluster.name}-registry")
    cluster.up(PATH=without_tilt())

    async def flows():
        try:
            await whole_flow(client)
        except (AssertionError, WebSocketException) as failure:
            return str(failure)
        return "everything"

    # A connection that a pod tried while addresses were given out anew waits for seconds (docs/known-issues.md).
    await until(stored(client, conversation), [sent["id"]], "what was sent before the restart is not there", 60)
    await until(flows, "everything", "the flow did not work again", 60)


def test_a_cluster_of_this_name_that_another_made_is_left_alone(cluster, second):
    """The name is taken: said with the way out, nothing deleted."""
    second.run("status")
    name = second.name
    image = docker("inspect", "--format", "{{.Config.Image}}", f"{cluster.name}-control-plane")
    made = docker("create", "--name", f"{name}-control-plane", "--label", f"io.x-k8s.kind.cluster={name}",
                  image)
    try:
        refused = second.run("up", "--k8s", check=False, PATH=without_tilt())
        assert refused.returncode == 1
        assert f"a cluster `{name}` exists that this checkout did not make" in refused.stderr
        assert f"kind delete cluster --name {name}" in refused.stderr
        assert docker("ps", "-aq", "--no-trunc", "--filter", f"id={made}") == made
    finally:
        docker("rm", "-f", made)

