"""A bounded load on the gateway makes it more pods, and its end takes them away again."""

import asyncio

from tests.e2e.flow import until
from tests.e2e.load import under_load

# Each way it takes one measurement (ten seconds), one decision (fifteen), and back again the overlay's window.
DEADLINE_S = 150


async def test_load_scales_the_gateway_up_and_its_end_scales_it_back(cluster):
    async def scaled_up():
        found = await asyncio.to_thread(cluster.kubectl, "get", "deployment", "gateway", "-o",
                                        "jsonpath={.status.readyReplicas}")
        return int(found or 0) > 1

    await until(scaled_up, False, "the gateway has several pods before there is any load")
    key = {"Authorization": f"Bearer {cluster.secret('DEMO_API_KEY')}"}
    url = f"{cluster.urls['gateway']}/v1/conversations"
    async with under_load(url, rate=30, limit_s=DEADLINE_S, verify=cluster.trust(), headers=key) as load:
        await until(scaled_up, True, "the load did not scale the gateway up", DEADLINE_S)
    assert load.outcomes[200], load.outcomes
    await until(scaled_up, False, "the gateway was not scaled back", DEADLINE_S)
