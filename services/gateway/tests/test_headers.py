"""Which headers pass."""

from gateway.headers import to_client, to_upstream


def test_what_belongs_to_one_connection_does_not_pass():
    given = [
        (b"Connection", b"close, X-Secret-Hop"), (b"x-secret-hop", b"1"), (b"Keep-Alive", b"timeout=5"),
        (b"TE", b"trailers"), (b"Trailer", b"x"), (b"Transfer-Encoding", b"chunked"), (b"Upgrade", b"h2c"),
        (b"Proxy-Authorization", b"x"), (b"Proxy-Authenticate", b"x"), (b"Proxy-Connection", b"x"),
        (b"Accept", b"*/*"),
    ]  # fmt: skip
    assert to_upstream(given) == to_client(given) == [(b"accept", b"*/*")]


def test_a_service_sees_neither_the_key_nor_what_a_client_claims_about_its_tenant():
    given = [(b"Authorization", b"Bearer ck"), (b"X-Tenant-Id", b"other"), (b"x-TENANT-id", b"other"), (b"Host", b"h"),
             (b"X-Request-Id", b"r"), (b"Content-Length", b"5"), (b"Cookie", b"a=b")]  # fmt: skip
    assert to_upstream(given) == [(b"cookie", b"a=b")]


def test_a_header_that_comes_twice_passes_twice():
    assert to_client([(b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=2")]) == [(b"set-cookie", b"a=1"),
                                                                            (b"set-cookie", b"b=2")]  # fmt: skip
