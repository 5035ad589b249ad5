"""A registry for tests that push."""

import os
import time
import urllib.request

import pytest

from devenv.engine import Engine
from devenv.images.resolve import resolve
from devenv.shell import Runner
from tests.e2e.checkout import docker


@pytest.fixture(scope="session")
def registry(tmp_path_factory):
    """The address of a registry of our own, on a port that the engine chooses."""
    wanted = "registry:3"
    image = resolve([wanted], engine=Engine(), runner=Runner(), offline=False,
                    logs=tmp_path_factory.mktemp("logs"))[wanted].reference
    container = docker("run", "--detach", "--rm", "--publish", "127.0.0.1::5000",
                       "--label", f"devenv.test-run={os.getpid()}", image)
    try:
        address = docker("port", container, "5000/tcp").replace("127.0.0.1", "localhost")
        deadline = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(f"http://{address}/v2/", timeout=2).close()
                break
            except OSError:
                assert time.monotonic() < deadline, "the registry does not answer"
                time.sleep(0.1)
        yield address
    finally:
        docker("rm", "--force", "--volumes", container)
        # What was pushed there or pulled from there keeps a name here that leads nowhere.
        named = docker("image", "ls", "--digests", "--format", "{{.Repository}} {{.Tag}} {{.Digest}}").splitlines()
        for repository, tag, digest in (line.split() for line in named if line.startswith(f"{address}/")):
            docker("image", "rm", f"{repository}@{digest}" if tag == "<none>" else f"{repository}:{tag}", check=False)
