"""The routing table."""

from pathlib import Path

import pytest
from gateway.index import DOCS, LISTING
from gateway.routes import ROUTES, Route
from gateway.settings import Settings


def route(path):
    return next(route for route in ROUTES if route.path == path)


def test_paths_are_unique_and_every_upstream_has_a_url():
    assert len({route.path for route in ROUTES}) == len(ROUTES)
    settings = Settings(
        mongodb_url="mongodb://m", redis_url="redis://r", messaging_url="http://a:1/", sockets_url="http://b:2",
        billing_url="http://c:3",
    )  # fmt: skip
    assert settings.upstreams == {"messaging": "http://a:1", "sockets": "http://b:2", "billing": "http://c:3"}
    assert {route.upstream for route in ROUTES} == set(settings.upstreams)


@pytest.mark.parametrize(("path", "method", "headers", "expected"), [
    ("/v1/messages", "POST", {}, False),
    ("/v1/messages", "POST", {"idempotency-key": "k"}, True),
    ("/v1/conversations", "POST", {"idempotency-key": "k"}, False),  # messaging does not look at it there
    ("/v1/conversations", "GET", {}, True),
    ("/v1/conversations", "HEAD", {}, True),
    ("/v1/invoices", "POST", {}, True),
])  # fmt: skip
def test_a_request_is_repeated_only_where_that_does_no_harm(path, method, headers, expected):
    assert route(path).may_repeat(method, headers) is expected


def test_a_path_is_shown_without_how_it_is_matched():
    assert Route("/a/{id:segment}/b/{month:segment}", ("GET",), "x").shown_path == "/a/{id}/b/{month}"


def test_the_page_that_the_index_names_documents_every_route():
    page = Path(__file__).parents[3].joinpath(DOCS).read_text()
    for path, methods, _ in LISTING:
        for method in methods:
            assert f"`{method} {path}" in page, f"{DOCS} does not mention {method} {path}"
