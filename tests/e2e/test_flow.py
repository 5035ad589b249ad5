import httpx

from tests.e2e.flow import whole_flow


async def test_a_message_with_an_attachment_reaches_its_readers_and_the_invoice(client):
    await whole_flow(client)


async def test_the_demo_data_is_there_after_the_first_up(client):
    assert (await client.get("/v1/conversations"))["items"]


async def test_without_a_key_nothing_is_told(checkout):
    async with httpx.AsyncClient(base_url=checkout.urls["gateway"]) as http:
        answer = await http.get("/v1/conversations")
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("application/problem+json")


async def test_every_service_says_that_it_is_alive_ready_and_counted(checkout):
    async with httpx.AsyncClient(timeout=10) as http:
        for name in ("gateway", "messaging", "sockets", "billing"):
            for path in ("/healthz", "/readyz", "/metrics"):
                answer = await http.get(checkout.urls[name] + path)
                assert answer.status_code == 200, f"{name}{path}: {answer.text}"
