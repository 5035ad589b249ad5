"""The reference platform on the images as built: the whole flow, for one test alone."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

from devenv.testing.isolation import Isolation
from devenv.testing.kinds.mongodb import Mongodb
from tests.e2e.flow import Client, whole_flow

KEY = "ck_integration"


async def test_a_message_with_an_attachment_reaches_its_readers_and_the_invoice(
    mongodb: Mongodb, devenv_isolation: Isolation
) -> None:
    gateway = devenv_isolation.start("gateway")
    with mongodb.client() as client:
        client[devenv_isolation.database].api_keys.insert_one({
            "_id": sha256(KEY.encode()).hexdigest(), "tenant_id": "integration", "name": "the flow",
            "rate_per_minute": 6000, "created_at": datetime.now(UTC), "revoked_at": None})
    async with Client(gateway.url, KEY) as tenant:
        await whole_flow(tenant)
