"""GET /: what there is, for a person who opens the URL or a program that asks."""

from __future__ import annotations

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from gateway.routes import ROUTES, STREAM

DOCS = "docs/reference/http-api.md"
LISTING = [
    *((route.shown_path, route.methods, route.upstream) for route in ROUTES),
    (f"{STREAM.path}?conversation_id=...", ("WEBSOCKET",), STREAM.upstream),
]
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>CAAS</title>
<style>
  body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem }}
  td {{ padding: .15rem 1.5rem .15rem 0 }} code, pre {{ font-family: ui-monospace, monospace }}
  pre {{ background: #8882; padding: .75rem; overflow-x: auto }}
</style>
<h1>CAAS</h1>
<p>The gateway is up. Every request needs an API key:</p>
<pre>curl -H "Authorization: Bearer $DEMO_API_KEY" {url}v1/conversations</pre>
<table>
{rows}
</table>
<p>More: <code>{docs}</code> in the repository.
Also here: <a href="/readyz">/readyz</a>, <a href="/metrics">/metrics</a>.
</html>
"""
ROW = "<tr><td>{methods}<td><code>{path}</code><td>{service}"
# The page runs nothing and loads nothing.
SECURITY = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'", "Vary": "Accept"}


async def index(request: Request) -> Response:
    """The routing table as JSON, or as a page where a browser asks."""
    if "text/html" not in request.headers.get("accept", ""):
        routes = [{"path": path, "methods": methods, "service": service} for path, methods, service in LISTING]
        return JSONResponse({"name": "caas", "docs": DOCS, "routes": routes}, headers={"Vary": "Accept"})
    rows = "\n".join(
        ROW.format(methods=" ".join(methods), path=escape(path), service=service) for path, methods, service in LISTING
    )
    page = PAGE.format(url=escape(str(request.base_url)), rows=rows, docs=escape(DOCS))
    return HTMLResponse(page, headers=SECURITY)
