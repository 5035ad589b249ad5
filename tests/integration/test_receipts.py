"""`devenv test` and its receipts in a small project that is really built, run and edited."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devenv import receipts
from devenv.engine import Engine
from devenv.errors import DevenvError
from devenv.project import find
from devenv.shell import Runner
from devenv.testing.hostports import choose
from tests.integration.other_project import OtherProject

COMPOSE = """
name: receipted
services:
  web:
    build: web
    init: true
    ports: ["127.0.0.1:18571:8000"]
    depends_on: {cache: {condition: service_healthy}}
    healthcheck: &check
      test: [CMD, python, -c, "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000')"]
      interval: 5s
      start_period: 20s
      start_interval: 200ms
  worker:
    build: worker
    init: true
    healthcheck: *check
  cache:
    image: redis:8
    healthcheck: {test: [CMD, redis-cli, ping], interval: 5s, start_period: 20s, start_interval: 200ms}
"""

SETTINGS = """
[test.plain]
command = ["python", "-c", "print('nothing to see')"]

[test.http]
command = ["python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/http"]
needs_platform = true

[test.plugin]
command = ["python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/plugin"]
may_skip = ["the moon"]
"""

SERVE = """
import http.server
class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")
http.server.ThreadingHTTPServer(("", 8000), Hello).serve_forever()
"""

DOCKERFILE = """
FROM python:3.13-slim
COPY serve.py /serve.py
CMD ["python", "/serve.py"]
"""

TEST_HTTP = """
import os, urllib.request

def test_it_says_hello():
    assert urllib.request.urlopen(os.environ["WEB_URL"], timeout=5).read() == b"hello"
"""

TEST_PLUGIN = """
import os, urllib.request
import pytest

def test_the_service_alone(devenv_service):
    assert os.environ["DEVENV_TEST_BUILT"] == "1"
    assert urllib.request.urlopen(devenv_service("web").url, timeout=5).read() == b"hello"

@pytest.mark.skip(reason="the moon is not full")
def test_by_night():
    pass
"""


class Receipted(OtherProject):
    """The project under git, and `devenv` run in it the way a person would."""

    def __init__(self, root: Path) -> None:
        # A port of its own: pytest-xdist may make several of these at once.
        super().__init__(root, COMPOSE.replace("18571", str(choose(1)[0])))
        (root / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\naddopts = -p devenv.testing.plugin\n")
        for service in ("web", "worker"):
            self.write(f"{service}/Dockerfile", DOCKERFILE)
            self.write(f"{service}/serve.py", SERVE + f"# {service}\n")
        self.write("devenv.toml", SETTINGS)
        self.write(".gitignore", "__pycache__/\n")
        self.write("tests/http/test_http.py", TEST_HTTP)
        self.write("tests/plugin/test_plugin.py", TEST_PLUGIN)
        self.git("init", "--quiet")
        self.commit()

    def git(self, *words: str) -> None:
        someone = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        subprocess.run(["git", *someone, *words], cwd=self.root, check=True)

    def commit(self) -> None:
        self.git("add", ".")
        self.git("commit", "--quiet", "-m", "as it is")

    def devenv(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "devenv", *words], cwd=self.root, capture_output=True, text=True,
                              env=self.environment({}), timeout=300, check=False)

    def test(self, *words: str) -> dict[str, Any]:
        done = self.devenv("test", "--json", *words)
        assert '"kind": "test"' in done.stdout, f"{done.stdout}\n{done.stderr}"
        answer: dict[str, Any] = json.loads(done.stdout) | {"exit_code": done.returncode, "said": done.stderr}
        return answer

    def standing(self) -> list[tuple[bool, str]]:
        listed = json.loads(self.devenv("receipts", "--json").stdout)["receipts"]
        return [(one["stands"], one["why_not"]) for one in listed]

    def find(self) -> receipts.Receipt:
        project = find(self.root)
        images = {name: one.image_id for name, one in receipts.images_now(project, Runner()).items()}
        return receipts.find(project, images, ["plain", "http", "plugin"])

    def no_receipts(self) -> None:
        shutil.rmtree(self.root / ".devenv" / "receipts", ignore_errors=True)

    def remove(self) -> None:
        self.devenv("down")
        engine = Engine(timeout_s=60)
        for name in ("web", "worker"):
            engine.delete(f"/images/{find(self.root).name}-{name}", force=1)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receipted]:
    made = Receipted(tmp_path_factory.mktemp("a shop ü"))
    try:
        yield made
    finally:
        made.remove()


def test_a_receipt_is_valid_until_one_byte_of_one_service_changes_and_is_tested_again(shop: Receipted) -> None:
    answer = shop.test()
    assert (answer["exit_code"], answer["no_receipt"]) == (0, []), answer
    assert [(one["suite"], one["passed"], one["skipped"], one["skips_allowed"]) for one in answer["suites"]] == [
        ("plain", 1, 0, 0), ("http", 1, 0, 0), ("plugin", 1, 1, 1)]
    assert all(Path(one["junit"]).is_file() for one in answer["suites"])

    first = shop.find()
    engine, name = Engine(timeout_s=60), find(shop.root).name
    assert {key: one.image_id for key, one in first.images.items()} == {
        key: engine.image(f"{name}-{key}")["Id"] for key in ("web", "worker")}  # type: ignore[index]
    assert first.backends["cache"].image_id == engine.image(first.backends["cache"].reference)["Id"]  # type: ignore[index]
    assert (first.dirty, first.project, len(first.commit)) == (False, "receipted", 40)
    assert shop.standing() == [(True, "")]

    with (shop.root / "web" / "serve.py").open("a") as file:
        file.write("#")
    assert shop.standing() == [(False, "the source has changed since")]
    assert shop.devenv("build").returncode == 0
    with pytest.raises(DevenvError, match="`web` is .* here, and .* was tested"):
        shop.find()
    shop.commit()
    assert not shop.standing()[0][0]

    assert shop.test()["no_receipt"] == []
    second = shop.find()
    assert second.images["web"] != first.images["web"]
    assert second.images["worker"] == first.images["worker"]
    assert [stands for stands, _ in shop.standing()] == [True, False]


def test_a_failed_run_writes_no_receipt_and_says_so(shop: Receipted) -> None:
    shop.no_receipts()
    shop.write("tests/http/test_http.py", TEST_HTTP.replace('b"hello"', 'b"goodbye"'))
    done = shop.devenv("test")
    shop.write("tests/http/test_http.py", TEST_HTTP)
    assert done.returncode == 1
    assert "no receipt: the suite `http` failed (1 of 1 tests)" in done.stderr
    assert done.stdout.splitlines()[-1] == "2 passed, 1 failed, 1 skipped"
    assert shop.standing() == []


def test_an_edit_in_the_middle_writes_no_receipt(shop: Receipted) -> None:
    edit = "\ndef test_edit():\n    with open('worker/serve.py', 'a') as file:\n        file.write('#')\n"
    shop.write("tests/http/test_http.py", TEST_HTTP + edit)
    answer = shop.test()
    shop.git("checkout", "--quiet", ".")
    assert answer["exit_code"] == 0
    assert answer["no_receipt"] == ["`worker/serve.py` changed while the suites ran"]
    assert shop.standing() == []


def test_a_rebuild_in_the_middle_and_a_skip_that_nobody_allowed_write_no_receipt(shop: Receipted) -> None:
    name = find(shop.root).name
    more = ("\nimport subprocess, pytest\ndef test_rebuild():\n"
            f"    subprocess.run(['docker', 'tag', '{name}-worker', '{name}-web'], check=True)\n"
            "@pytest.mark.skip(reason='no time')\ndef test_later(): pass\n")
    shop.write("tests/http/test_http.py", TEST_HTTP + more)
    answer = shop.test()
    shop.git("checkout", "--quiet", ".")
    assert answer["exit_code"] == 0
    assert "the suite `http` skipped 1 test" in answer["no_receipt"]
    assert "`web` was built again while the suites ran" in answer["no_receipt"]
    assert shop.standing() == []


def test_some_suites_run_as_it_is_and_a_receipt_for_them_needs_the_images_to_have_run(shop: Receipted) -> None:
    answer = shop.test("plain")
    assert (answer["exit_code"], answer["receipt"], answer["no_receipt"]) == (0, "", [])
    answer = shop.test("plugin", "--receipt")
    assert answer["exit_code"] == 1
    assert answer["no_receipt"] == ["no suite ran the image of `worker`: give one `needs_platform = true`, "
                                    "or ask for `devenv_platform` in a test"]
