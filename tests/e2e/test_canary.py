"""No secret is where secrets must not be: images, rendered manifests, `.devenv/`, logs, command lines, printed text.

The canaries are the platform's own passwords, and some that are planted where a careless build would take them along.
"""

import json
import secrets
import stat
import subprocess

import pytest

from tests.e2e.checkout import docker
from tests.e2e.hunt import Arguments, Hunt, forms

# Files that are there to hold secrets.
HOLDERS = (".env", ".devenv/secrets.env")
PLANTED = ("services/gateway/.env", "services/gateway/id_rsa", "libs/servicekit/.env", ".aws/credentials")


@pytest.fixture(scope="module")
def values(checkout):
    """The platform's passwords by name, and planted ones."""
    lines = (checkout.root / ".devenv" / "secrets.env").read_text().splitlines()
    own = dict(line.split("=", 1) for line in lines if "=" in line)
    planted = {name: secrets.token_hex(20) for name in (*PLANTED, "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN")}
    return {**own, **planted}


@pytest.fixture(scope="module")
def hunt(values):
    return Hunt(values)


@pytest.fixture(scope="module")
def used(checkout, values, hunt):
    """What everyday commands printed, and the command lines seen meanwhile, with secrets lying about."""
    holders = [checkout.root / name for name in PLANTED]
    for name, path in zip(PLANTED, holders, strict=True):
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"password={values[name]}\n")
    around = {name: values[name] for name in ("AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN")}
    commands = [("build",), ("--debug", "up"), ("restart", "messaging"), ("status", "--json"), ("logs",), ("images",),
                ("doctor",), ("down",), ("up", "--as-built"), ("parity",)]
    printed = {}
    try:
        with Arguments(hunt) as arguments:
            for words in commands:
                done = checkout.run(*words, **around)
                printed[" ".join(words)] = done.stdout + done.stderr
        yield printed, arguments
    finally:
        for path in holders:
            path.unlink()
        checkout.up()


def test_the_hunt_finds_a_secret_in_every_form(hunt, values):
    value = values["MONGODB_PASSWORD"]
    for form in forms(value):
        assert hunt.text(b"before " + form + b" after") == {"MONGODB_PASSWORD"}
    cut = f"x{value}y".encode()
    assert hunt.stream(iter([cut[:9], cut[9:20], cut[20:]])) == {"MONGODB_PASSWORD"}


def test_the_hunt_sees_the_arguments_of_a_process(hunt, values):
    with Arguments(hunt) as arguments:
        subprocess.run(["sh", "-c", "sleep 0.3; :", values["REDIS_PASSWORD"]], check=True)
    assert set().union(*arguments.found.values()) == {"REDIS_PASSWORD"}


def test_the_hunt_sees_into_the_layers_and_the_history_of_an_image(hunt, values, checkout, tmp_path):
    (tmp_path / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nARG TOKEN\nCOPY secret /secret\nRUN true\n")
    (tmp_path / "secret").write_text(values["KAFKA_PASSWORD"])
    name = f"{checkout.name}-canary"
    try:
        docker("build", "--quiet", "--provenance", "false", "--build-arg", f"BASE={checkout.name}-gateway",
               "--build-arg", f"TOKEN={values['DEMO_API_KEY']}", "--tag", name, str(tmp_path))
        assert set().union(*hunt.images(name).values()) == {"KAFKA_PASSWORD", "DEMO_API_KEY"}
    finally:
        docker("image", "rm", "--force", name, check=False)


def test_no_secret_is_printed(used, hunt):
    printed, _ = used
    assert {command: hunt.text(text) for command, text in printed.items() if hunt.text(text)} == {}


def test_no_secret_is_an_argument_of_a_process(used):
    _, arguments = used
    assert arguments.looks > 100
    assert arguments.found == {}


def test_no_secret_is_in_an_image(used, checkout, hunt):
    names = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", f"{checkout.name}-*").split()
    assert len(names) == 4
    assert hunt.images(*names) == {}


def test_no_secret_is_in_a_container_but_for_its_environment(used, checkout, hunt):
    ids = docker("ps", "-aq", "--filter", f"label=com.docker.compose.project={checkout.name}").split()
    assert len(ids) > 6
    for one in json.loads(docker("inspect", *ids)):
        del one["Config"]["Env"]
        assert hunt.text(json.dumps(one)) == set(), one["Name"]
        logged = subprocess.run(["docker", "logs", one["Id"]], capture_output=True, check=True)
        assert hunt.text(logged.stdout + logged.stderr) == set(), f"logs of {one['Name']}"


def test_no_secret_is_in_the_checkout_but_where_it_belongs(used, checkout, hunt):
    """Journal, logs, receipts, rendered manifests and whatever else devenv writes."""
    holders = {checkout.root / name for name in (*HOLDERS, *PLANTED)}
    assert hunt.files(checkout.root, holders) == {}
    for path in (checkout.root / name for name in HOLDERS):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, f"{path} can be read by others"


def test_no_secret_is_in_what_is_promoted(used, checkout, hunt):
    for environment in ("staging", "production"):
        folder = checkout.root / "k8s" / "overlays" / environment
        rendered = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, check=True)
        assert b"kind: ExternalSecret" in rendered.stdout
        assert hunt.text(rendered.stdout) == set()
