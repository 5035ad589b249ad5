"""Snapshots on Compose: the data of all four backends goes back together, also where somebody pulls the plug."""

import json
import signal
from time import monotonic, sleep

from tests.e2e.flow import until, whole_flow


def names(checkout):
    return [one["name"] for one in checkout.json("snapshot", "list")["snapshots"]]


def kill_when_there(process, path):
    """kill -9 in the middle: as soon as the file or folder is there that is gone again at the end."""
    deadline = monotonic() + 120
    while not path.exists():
        assert process.poll() is None and monotonic() < deadline, process.communicate()
        sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


async def test_a_snapshot_brings_back_the_data_of_all_backends(checkout, client):
    conversation, sent = await whole_flow(client)
    counted = await client.usage()
    before = await client.get("/v1/conversations", limit=100)

    checkout.run("snapshot", "save", "kept")
    assert {one["condition"] for one in checkout.status().values()} <= {"usable", "done"}
    assert names(checkout) == ["kept"]
    await client.send(conversation, "later")
    await client.conversation("later too")
    await until(client.usage, counted + 1, "the later message was not counted")

    checkout.run("snapshot", "restore", "--yes", "kept")
    assert all(not one["instances"] for one in checkout.status().values())
    checkout.up()
    assert await client.get("/v1/conversations", limit=100) == before
    stored = (await client.get(f"/v1/conversations/{conversation}/messages"))["items"]
    assert [one["id"] for one in stored] == [sent["id"]]
    found = await client.get(f"/v1/conversations/{conversation}/attachments/{stored[0]['attachments'][0]['id']}")
    assert await client.download(found["download_url"]) == b"what was said"
    assert await client.usage() == counted
    await whole_flow(client)
    checkout.run("snapshot", "delete", "kept")
    assert names(checkout) == []


async def test_a_killed_save_leaves_nothing_and_a_killed_restore_says_what_to_do(checkout, client):
    counted = await client.usage()
    folder = checkout.root / ".devenv" / "snapshots"
    kill_when_there(checkout.start("snapshot", "save", "cut"), folder / ".saving-cut")
    assert names(checkout) == []
    checkout.run("snapshot", "save", "cut")
    assert sorted(one.name for one in folder.iterdir()) == ["cut"]

    kill_when_there(checkout.start("snapshot", "restore", "--yes", "cut"), folder / ".restoring")
    refused = checkout.run("up", check=False)
    assert refused.returncode == 1 and "devenv snapshot restore cut" in refused.stderr
    assert checkout.run("snapshot", "delete", "cut", check=False).returncode == 1
    checkout.run("snapshot", "restore", "--yes", "cut")
    checkout.up()
    assert await client.usage() == counted
    await whole_flow(client)


def test_a_damaged_snapshot_changes_nothing(checkout):
    if "cut" not in names(checkout):
        checkout.run("snapshot", "save", "cut")
    folder = checkout.root / ".devenv" / "snapshots" / "cut"
    part = json.loads((folder / "manifest.json").read_text())["parts"][0]
    whole = (folder / part["file"]).read_bytes()
    ids = {name: one["instances"] for name, one in checkout.status().items()}
    (folder / part["file"]).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    refused = checkout.run("snapshot", "restore", "--yes", "cut", check=False)
    assert refused.returncode == 1 and "is not what was saved" in refused.stderr
    assert [one["id"] for all_ in ids.values() for one in all_] == [
        one["id"] for each in checkout.status().values() for one in each["instances"]]
    checkout.run("snapshot", "delete", "cut")
