"""A dependable `up`: repeatable, interruptible, one at a time; data stays."""

import json
import os
import signal
import subprocess

import pytest

from devenv.runtimes.compose_up import UP
from tests.e2e.checkout import clean_environment, docker


def essence(checkout):
    """What an `up` brings about: containers by service with state, networks, volumes."""
    project = f"label=com.docker.compose.project={checkout.name}"
    return {
        "services": {name: one["condition"] for name, one in checkout.status().items()},
        "containers": sorted(docker("ps", "-a", "--format", "{{.Names}}", "--filter", project).split()),
        "networks": docker("network", "ls", "--format", "{{.Name}}", "--filter", project).split(),
        "volumes": sorted(docker("volume", "ls", "--format", "{{.Name}}", "--filter", project).split()),
    }


def test_a_second_up_changes_nothing(checkout):
    checkout.up()
    before = docker("ps", "-q", "--no-trunc", "--filter", f"label=com.docker.compose.project={checkout.name}")
    journal = (checkout.root / ".devenv" / "journal.jsonl").read_bytes()
    checkout.up()
    assert docker("ps", "-q", "--no-trunc", "--filter", f"label=com.docker.compose.project={checkout.name}") == before
    assert (checkout.root / ".devenv" / "journal.jsonl").read_bytes() == journal


async def test_data_survives_down_and_up(checkout, client):
    conversation = await client.conversation("kept")
    sent = await client.send(conversation, "kept through down and up")
    checkout.run("down")
    assert checkout.status() == {} or all(not one["instances"] for one in checkout.status().values())
    checkout.up()
    items = (await client.get(f"/v1/conversations/{conversation}/messages"))["items"]
    assert [one["id"] for one in items] == [sent["id"]]


def test_two_ups_at_once_end_in_one_platform(checkout):
    checkout.run("down")
    both = [checkout.start("up", "--json"), checkout.start("up", "--json")]
    answers = [process.communicate(timeout=600) for process in both]
    assert [process.returncode for process in both] == [0, 0], answers
    assert all(json.loads(out)["kind"] == "up" for out, _ in answers)
    seen = essence(checkout)
    assert len(seen["networks"]) == 1 and len(seen["containers"]) == len(set(seen["containers"]))
    assert set(seen["services"].values()) <= {"usable", "done"}


def test_no_wait_names_the_holder(checkout):
    holder = checkout.start("up", "--as-built", DEVENV_FAILPOINT="none")
    try:
        held = checkout.root / ".devenv" / "lock"
        while not held.read_text():
            assert holder.poll() is None, "the first `up` ended before it took the lock"
        second = checkout.run("up", "--no-wait", "--as-built", check=False)
        assert second.returncode == 75 and f"process {holder.pid}" in second.stderr
    finally:
        holder.communicate(timeout=600)
    checkout.up()


@pytest.mark.parametrize("step", [step.__name__ for step in UP])
def test_up_killed_in_a_step_converges_when_it_is_run_again(checkout, step):
    golden = essence(checkout)
    # A changed variable makes every step do work again.
    killed = checkout.run("up", check=False, DEVENV_FAILPOINT=f"{step}:after", LOG_LEVEL=f"debug{os.getpid()}"[:5])
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    again = checkout.up()
    assert again["endpoints"]
    assert essence(checkout) == golden


def test_a_container_renamed_by_a_killed_compose_is_healed(checkout):
    golden = essence(checkout)
    name = f"{checkout.name}-redis-1"
    docker("rename", name, f"0123456789ab_{name}")
    (checkout.root / ".devenv" / "up.json").unlink()
    checkout.up()
    assert essence(checkout) == golden


def test_a_port_in_use_is_named_with_its_owner_before_anything_changes(checkout):
    import socket

    checkout.run("down")
    port = int(checkout.urls["gateway"].rpartition(":")[2])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        refused = checkout.run("up", check=False)
    assert refused.returncode == 1
    assert f"port {port}" in refused.stderr and f"process {os.getpid()}" in refused.stderr
    assert docker("ps", "-aq", "--filter", f"label=com.docker.compose.project={checkout.name}") == ""
    checkout.up()


def test_one_service_starts_just_what_it_needs(checkout):
    checkout.run("down")
    checkout.run("up", "sockets")
    running = {name for name, one in checkout.status().items() if one["instances"]}
    assert running == {"sockets", "init", "kafka", "redis", "mongodb", "minio"}
    checkout.up()


def test_reset_deletes_the_data_of_one_backend_only(checkout):
    volumes = set(essence(checkout)["volumes"])
    created = {name: docker("volume", "inspect", "-f", "{{.CreatedAt}}", name) for name in volumes}
    checkout.run("reset", "--data", "--yes", "redis")
    checkout.up()
    after = {name: docker("volume", "inspect", "-f", "{{.CreatedAt}}", name) for name in volumes}
    assert {name for name in volumes if created[name] != after[name]} == {f"{checkout.name}_redis-data"}


def test_exec_passes_the_exit_code_on(checkout):
    assert checkout.run("exec", "redis", "--", "sh", "-c", "exit 7", check=False).returncode == 7
    assert checkout.run("exec", "redis", "--", "redis-cli", "ping").stdout.strip() == "PONG"


def test_logs_can_be_cut_to_a_service_and_a_time(checkout):
    said = checkout.run("logs", "--since", "10m", "--tail", "5", "gateway").stdout
    assert said.strip() and all("gateway" in line for line in said.strip().splitlines())


def test_watch_rebuilds_just_the_service_whose_dockerfile_changed(checkout):
    def running():
        listed = docker("ps", "--format", '{{.Label "com.docker.compose.service"}} {{.ID}}', "--no-trunc",
                        "--filter", f"label=com.docker.compose.project={checkout.name}").splitlines()
        return {name: (identity, docker("inspect", "-f", "{{.Image}}", identity))
                for name, identity in (line.split() for line in listed)}

    dockerfile = checkout.root / "services" / "billing" / "Dockerfile"
    text = dockerfile.read_text()
    watcher = checkout.start("up", "--watch")
    try:
        _read_until(watcher.stderr, "watching")
        before = running()
        dockerfile.write_text(text + 'LABEL edited="yes"\n')
        _read_until(watcher.stderr, "watching")
        after = running()
        assert {name for name in before if before[name][1] != after[name][1]} == {"billing"}
        # Compose 2.26 replaces what depends on a replaced service, too; nothing else is touched.
        assert {name for name in before if before[name] != after[name]} <= {"billing", "gateway"}
        assert docker("inspect", "-f", '{{index .Config.Labels "edited"}}', after["billing"][0]) == "yes"
        watcher.send_signal(signal.SIGINT)
        watcher.communicate(timeout=60)
        assert watcher.returncode == 130
    finally:
        watcher.kill()
        watcher.communicate()
        dockerfile.write_text(text)
        checkout.up()


def _read_until(stream, word):
    for line in stream:
        if word in line:
            return
    raise AssertionError(f"it ended without saying `{word}`")


async def test_plain_docker_compose_works_on_the_files_that_up_wrote(checkout, client):
    checkout.run("down")
    by_hand = ["docker", "compose", "up", "-d", "--wait", "gateway", "messaging", "sockets", "billing"]
    done = subprocess.run(by_hand, cwd=checkout.root, env=clean_environment(), capture_output=True, text=True,
                          timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    conversation = await client.conversation("by hand")
    await client.send(conversation, "through plain docker compose")
    # devenv takes over what it finds.
    checkout.up()
    assert len((await client.get(f"/v1/conversations/{conversation}/messages"))["items"]) == 1
