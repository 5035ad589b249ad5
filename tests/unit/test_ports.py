import os
import socket

import pytest

from devenv.errors import DevenvError
from devenv.model import Service
from devenv.ports import check_free
from tests.unit.fakes import FakeEngine, container


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def service(port):
    entry = {"published": str(port), "target": 80, "host_ip": "127.0.0.1", "protocol": "tcp"}
    return Service("web", {"ports": [entry]})


def published(port):
    return [{"PublicPort": port, "PrivatePort": 80, "Type": "tcp", "IP": "127.0.0.1"}]


def test_a_port_of_another_program_is_named_with_its_process(taken):
    with pytest.raises(DevenvError, match=rf"port {taken} \(wanted by `web`\) is used by process {os.getpid()}"):
        check_free([service(taken)], "p", FakeEngine({"/containers/json": []}))


def test_a_port_of_another_project_is_named_with_its_container(taken):
    other = container("web", name="other-web-1", ports=published(taken))
    other["Labels"]["com.docker.compose.project"] = "other"
    other["Labels"]["com.docker.compose.project.working_dir"] = "/src/other"
    with pytest.raises(DevenvError, match="container `other-web-1` of the project in `/src/other`"):
        check_free([service(taken)], "p", FakeEngine({"/containers/json": [other]}))


def test_our_own_port_is_no_conflict(taken):
    check_free([service(taken)], "p", FakeEngine({"/containers/json": [container("web", ports=published(taken))]}))


def test_a_free_port_is_fine():
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    check_free([service(free)], "p", FakeEngine({"/containers/json": []}))
