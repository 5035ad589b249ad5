"""`devenv` in a project that is not this one: two services, one backend, no devenv.toml, another file name."""

import json
import subprocess
import sys

import httpx
import pytest

from tests.e2e.checkout import clean_environment
from tests.e2e.flow import until

FILES = {
    "compose.yaml": """\
services:
  shop:
    build: shop
    ports: ["127.0.0.1:18471:8000"]
    environment: {CACHE: cache}
    depends_on: {cache: {condition: service_healthy}}
  worker:
    build: worker
    depends_on: {cache: {condition: service_healthy}}
  cache:
    image: redis:7-alpine
    volumes: ["cache:/data"]
    healthcheck: {test: ["CMD", "redis-cli", "ping"], interval: 5s, start_period: 20s, start_interval: 200ms}
volumes: {cache: {}}
""",
    "shop/Dockerfile": """\
FROM python:3.13-slim
WORKDIR /srv
RUN --mount=type=secret,id=ca_bundle \\
    if [ -s /run/secrets/ca_bundle ]; then export PIP_CERT=/run/secrets/ca_bundle; fi; \\
    pip install --no-cache-dir starlette uvicorn redis
COPY shop.py .
CMD ["uvicorn", "shop:app", "--host", "0.0.0.0", "--port", "8000"]
""",
    "shop/shop.py": """\
import os
import redis
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
cache = redis.Redis(host=os.environ["CACHE"])
def home(request):
    return PlainTextResponse(f"first {cache.incr('visits') > 0}")
app = Starlette(routes=[Route("/", home)])
""",
    "worker/Dockerfile": """\
FROM python:3.13-slim
WORKDIR /srv
COPY worker.py .
CMD ["python", "worker.py"]
""",
    "worker/worker.py": """\
import signal, threading
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
print("working", flush=True)
stop.wait()
""",
    "tests/test_shop.py": """\
import os, urllib.request
def test_the_shop_is_open():
    assert urllib.request.urlopen(os.environ["SHOP_URL"]).read().endswith(b"True")
""",
}


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "another project"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    yield root
    run(root, "down", check=False)
    subprocess.run(["docker", "compose", "down", "--volumes"], cwd=root, capture_output=True, check=False)


def run(root, *words, check=True):
    done = subprocess.run([sys.executable, "-m", "devenv", *words], cwd=root / "shop", env=clean_environment(),
                          capture_output=True, text=True, timeout=900)
    assert not check or done.returncode == 0, f"{words}: {done.stdout}\n{done.stderr}"
    return done


async def test_up_edit_test_and_down_in_another_project(project):
    answer = json.loads(run(project, "up", "--json").stdout)
    assert answer["endpoints"] == [{"service": "shop", "url": "http://localhost:18471"}]
    # What cannot be reloaded is said, and how that can be changed.
    assert any("`worker` is not reloaded" in note for note in answer["notes"])

    async def served():
        try:
            async with httpx.AsyncClient() as http:
                return (await http.get("http://localhost:18471/")).text
        except httpx.TransportError as failure:
            return type(failure).__name__

    # This service has no health check: `up` waited until it listened.
    assert await served() == "first True"
    source = project / "shop" / "shop.py"
    source.write_text(source.read_text().replace("first", "second"))
    await until(served, "second True", "the edit was not served")
    status = json.loads(run(project, "status", "--json").stdout)
    assert {one["service"]: one["condition"] for one in status["services"]} == {
        "shop": "usable", "worker": "usable", "cache": "usable"}
    tested = run(project, "test")
    assert "1 passed, 0 failed, 0 skipped" in tested.stdout
    run(project, "down")
    assert all(not one["instances"] for one in json.loads(run(project, "status", "--json").stdout)["services"])


FULL = """\
services:
  writer:
    image: redis:7-alpine
    entrypoint: ["sh", "-c", "cat /dev/zero > /full/zeros"]
    volumes: ["full:/full"]
  reader:
    image: redis:7-alpine
    depends_on: {writer: {condition: service_completed_successfully}}
volumes:
  full: {driver_opts: {type: tmpfs, device: tmpfs, o: size=64k}}
"""


def test_a_service_on_a_full_disk_is_blocked_by_the_disk(project):
    (project / "compose.yaml").write_text(FULL)
    refused = run(project, "up", "--json", check=False)
    error = json.loads(refused.stdout)
    assert refused.returncode == 1 and (error["service"], error["cause"]) == ("writer", "disk"), refused.stderr
    assert "No space left on device" in error["evidence"] and "docker system df" in error["next"]
