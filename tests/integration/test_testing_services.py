"""Services of a project: built as their source is, prepared by their one-shots, shared or for one test alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from devenv.engine import Engine
from tests.integration.other_project import OtherProject, counts

COMPOSE = """
services:
  cache:
    image: redis:8
    command: [redis-server, --requirepass, s3cret]
    healthcheck: {test: [CMD-SHELL, "redis-cli -a s3cret ping | grep PONG"]}
  prepare:
    build: app
    image: devenv-test-app
    command: [python, prepare.py]
    environment: &environment {REDIS_URL: "redis://:s3cret@cache:6379/0", SELF_URL: "http://localhost:18099"}
    depends_on: {cache: {condition: service_healthy}}
  store:
    build: app
    image: devenv-test-app
    environment: *environment
    ports: ["127.0.0.1:18099:8080"]
    depends_on: {cache: {condition: service_healthy}, prepare: {condition: service_completed_successfully}}
    healthcheck: &check
      test: [CMD, python, -c, "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz')"]
  front:
    build: app
    image: devenv-test-app
    environment: {STORE_URL: "http://store:8080"}
    expose: ["8080"]
    depends_on: {store: {condition: service_healthy}}
    healthcheck: *check
"""

DOCKERFILE = """
FROM python:3.13-slim
WORKDIR /app
COPY *.py .
USER 10001
CMD ["python", "serve.py"]
"""

# Redis's protocol in a few lines, so that the image needs no package.
KEYS = """
import os
import socket
from urllib.parse import urlsplit

def ask(*words):
    url = urlsplit(os.environ["REDIS_URL"])
    with socket.create_connection((url.hostname, url.port), 5) as connection, connection.makefile("rb") as answers:
        for request in (("AUTH", url.password), words):
            parts = [f"*{len(request)}"] + [part for word in request for part in (f"${len(word)}", word)]
            connection.sendall(("\\r\\n".join(parts) + "\\r\\n").encode())
            answer = answers.readline().decode().strip()
            if answer.startswith("-"):
                raise RuntimeError(answer)
        return answers.readline().decode().strip() if answer.startswith("$") and answer != "$-1" else ""

def key(name):
    return os.environ.get("REDIS_KEY_PREFIX", "") + name
"""

PREPARE = """
from keys import ask, key
ask("SET", key("prepared"), "yes")
"""

SERVE = """
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import time_ns
from urllib.request import urlopen
from keys import ask, key

BORN = str(time_ns())

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.strip("/")
        if name == "healthz":
            body = "ok"
        elif name == "self":
            body = os.environ["SELF_URL"]
        elif name == "born":
            body = BORN
        elif "STORE_URL" in os.environ:
            body = urlopen(f"{os.environ['STORE_URL']}/{name}").read().decode()
        else:
            body = ask("GET", key(name))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body.encode())

ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
"""

TESTS = """
    from pathlib import Path
    from urllib.request import urlopen

    before = {}

    def get(url):
        with urlopen(url, timeout=5) as answer:
            return answer.read().decode()

    def running(handle):
        label = f"devenv.set={handle.control.network}"
        return len(handle.control.engine.get("/containers/json", filters={"label": [label]}))

    def test_shared(devenv_service, devenv_platform, redis):
        store = devenv_service("store")
        assert get(f"{store.url}/prepared") == "yes"
        assert get(f"{store.url}/self") == f"http://localhost:{store.port}"
        assert devenv_platform.service("store") is store
        assert get(f"{devenv_platform.service('front').url}/prepared") == "yes"
        with Path(__file__).with_name("ids").open("a") as ids:
            for one in (store, redis):
                print(one.control.engine.container(one.container)["Id"], file=ids)

    def test_for_one_test_alone(devenv_isolation, redis):
        with redis.client() as client:
            client.delete("prepared")
            front = devenv_isolation.start("front")
            assert client.get(devenv_isolation.key_prefix + "prepared") == "yes"
            client.set(devenv_isolation.key_prefix + "mine", "only here")
        assert get(f"{front.url}/mine") == "only here"
        assert running(front) == 5, "the shared three, and two of this test"

    def test_they_have_gone(redis, devenv_isolation):
        assert running(redis) == 3
        with redis.client() as client:
            assert client.keys() == ["devenv:mark"]

    def test_code_in_this_process(devenv_isolation, redis):
        environment = devenv_isolation.env("store")
        assert environment["REDIS_URL"] == f"redis://:s3cret@127.0.0.1:{redis.port}/0"
        assert environment["REDIS_KEY_PREFIX"] == devenv_isolation.key_prefix
        devenv_isolation.run("prepare")
        with redis.client() as client:
            assert client.get(environment["REDIS_KEY_PREFIX"] + "prepared") == "yes"

    def test_flush(redis, devenv_service):
        before["born"] = get(f"{devenv_service('store').url}/born")
        with redis.client() as client:
            client.flushall()

    def test_prepared_again(devenv_service):
        assert get(f"{devenv_service('store').url}/prepared") == "yes"
        assert get(f"{devenv_service('store').url}/born") != before["born"], "it may hold what the cache no longer has"

    def test_kill(devenv_service):
        devenv_service("store").kill()

    def test_started_anew(devenv_service):
        assert get(f"{devenv_service('store').url}/prepared") == "yes"
"""


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OtherProject]:
    # An image of its own: pytest-xdist may make several of these at once.
    image = f"devenv-test-app-{os.getpid()}"
    made = OtherProject(tmp_path_factory.mktemp("platform"), COMPOSE.replace("devenv-test-app", image))
    for name, text in {"Dockerfile": DOCKERFILE, "keys.py": KEYS, "prepare.py": PREPARE, "serve.py": SERVE}.items():
        made.write(f"app/{name}", text)
    made.write("test_services.py", TESTS)
    yield made
    made.end()
    made.wait_until_gone()
    Engine(timeout_s=60).delete(f"/images/{image}", force=1)


def test_services_are_built_prepared_shared_and_isolated(platform: OtherProject) -> None:
    done = platform.pytest("--devenv-reuse", "test_services.py")
    assert counts(done) == {"passed": 8}, done.stdout
    assert "test_services.py::test_flush left cache: its data was deleted; started anew" in done.stdout
    assert "test_services.py::test_kill left store: not running (exit code 137); started anew" in done.stdout


def test_changed_source_is_built_and_the_backend_stays(platform: OtherProject) -> None:
    platform.write("ids", "")
    words = ("--devenv-reuse", "test_services.py::test_shared")
    done = platform.pytest(*words)
    assert counts(done) == {"passed": 1}, done.stdout
    again = platform.pytest(*words)
    assert counts(again) == {"passed": 1}, again.stdout
    source = platform.root / "app" / "serve.py"
    source.write_text(Path(source).read_text() + "# changed\n")
    changed = platform.pytest(*words)
    assert counts(changed) == {"passed": 1}, changed.stdout
    stores, caches = platform.noted("ids")[::2], platform.noted("ids")[1::2]
    assert stores[0] == stores[1] != stores[2]
    assert len(set(caches)) == 1


def test_damage_is_mended_for_services_and_one_shots_of_other_processes_too(platform: OtherProject) -> None:
    platform.write("test_born.py", """
        from pathlib import Path
        from urllib.request import urlopen

        def test_born(devenv_service):
            store = devenv_service("store")
            with urlopen(f"{store.url}/born", timeout=5) as answer, Path(__file__).with_name("born").open("a") as born:
                print(store.control.engine.container(store.container)["Id"], answer.read().decode(), file=born)
    """)
    platform.write("test_flush.py", """
        def test_flush(redis):
            with redis.client() as client:
                client.flushall()

        def test_prepared_again(redis):
            with redis.client() as client:
                assert client.get("prepared") == "yes"
    """)
    for name, passed in ("test_born.py", 1), ("test_flush.py", 2), ("test_born.py", 1):
        done = platform.pytest("--devenv-reuse", name)
        assert counts(done) == {"passed": passed}, done.stdout
    (container, born), (same, again) = (line.split() for line in platform.noted("born"))
    assert container == same and born != again


def test_workers_build_once(platform: OtherProject) -> None:
    platform.write("test_many.py", """
        import pytest
        from urllib.request import urlopen

        @pytest.mark.parametrize("number", range(8))
        def test_many(devenv_service, number):
            with urlopen(f"{devenv_service('front').url}/prepared", timeout=5) as answer:
                assert answer.read() == b"yes"
    """)
    before = platform.sets()
    done = platform.pytest("-p", "xdist", "-n", "2", "test_many.py")
    assert counts(done) == {"passed": 8}, done.stdout
    assert platform.sets() == before, "only a warm one of other tests may be there"


def test_backend_of_no_kind_is_given_as_it_is(fresh_project: OtherProject) -> None:
    fresh_project.write("compose.yaml", """
        services:
          files:
            image: python:3.13-slim
            command: [python, -m, http.server, "8000"]
            expose: ["8000"]
    """)
    fresh_project.write("test_files.py", """
        from urllib.error import URLError
        from urllib.request import urlopen
        import pytest

        def get(files):
            with urlopen(f"http://{files.address}/", timeout=2) as answer:
                return answer.status

        def test_files(devenv_backend):
            files = devenv_backend("files")
            assert get(files) == 200
            with files.stop(timeout_s=0), pytest.raises(URLError):
                get(files)
            assert get(files) == 200

        def test_left_stopped(devenv_backend):
            devenv_backend("files").kill()

        def test_is_there_again(devenv_backend):
            assert get(devenv_backend("files")) == 200
    """)
    done = fresh_project.pytest("test_files.py")
    assert counts(done) == {"passed": 3}, done.stdout
    assert "left files: not running (exit code 137); started anew" in done.stdout
