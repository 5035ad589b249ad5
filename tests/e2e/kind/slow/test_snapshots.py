"""A snapshot goes from Compose to the cluster, on within the cluster, and back."""

from tests.e2e.flow import Client, until, whole_flow
from tests.e2e.kind.conftest import without_tilt


async def test_a_snapshot_goes_from_compose_to_kind_and_back(cluster):
    """The cluster's own data is put by first, so that the tests that follow find it again."""
    key, path = cluster.secret("DEMO_API_KEY"), without_tilt()

    async def reads(client, conversation, message):
        stored = (await client.get(f"/v1/conversations/{conversation}/messages"))["items"]
        assert message in [one["id"] for one in stored]
        return await client.usage()

    async with Client(cluster.urls["gateway"], key, cluster.trust()) as on_kind:
        kept, kept_message = await whole_flow(on_kind)
        counted_on_kind = await on_kind.usage()
        cluster.run("snapshot", "save", "kind", PATH=path)
        # The save has started everything again.
        assert await reads(on_kind, kept, kept_message["id"]) == counted_on_kind
        await on_kind.send(kept, "after the snapshot")
        await until(on_kind.usage, counted_on_kind + 1, "the message was not counted")
    cluster.run("down", PATH=path)
    try:
        urls = {one["service"]: one["url"] for one in cluster.json(
            "up", "--port-offset", str(cluster.port_offset))["endpoints"]}
        cluster.run("snapshot", "restore", "--yes", "kind")
        cluster.run("up")
        async with Client(urls["gateway"], key) as on_compose:
            assert await reads(on_compose, kept, kept_message["id"]) == counted_on_kind
            conversation, sent = await whole_flow(on_compose)
            counted = await on_compose.usage()
        cluster.run("snapshot", "save", "compose")
    finally:
        cluster.run("down")
        cluster.up(PATH=path)
    cluster.run("snapshot", "restore", "--yes", "compose", PATH=path)
    cluster.up(PATH=path)
    async with Client(cluster.urls["gateway"], key, cluster.trust()) as on_kind:
        assert await reads(on_kind, kept, kept_message["id"]) == counted == counted_on_kind + 1
        await reads(on_kind, conversation, sent["id"])
        await whole_flow(on_kind)
