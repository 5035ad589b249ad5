"""Signing and verifying for real: cosign, a key, a registry. `make test-supply`; cosign takes minutes to build."""

import json
import os
from dataclasses import asdict

import pytest

from devenv.doctor.programs import ensure_programs
from devenv.engine import Engine
from devenv.project import find
from devenv.receipts import Receipt, Suite, images_now, source, write
from devenv.shell import Runner
from tests.e2e.checkout import docker
from tests.supply.project import devenv, run
from tests.workflows.sigstore import GITHUB, identity, signing_as

DOCKERFILE = "FROM debian:13-slim\nCOPY greeting /greeting\n"
COMPOSE = "name: shop\nservices:\n  web:\n    build: .\n"


def commit(project):
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.com")
    run("git", "add", "--all", cwd=project)
    run("git", *identity, "commit", "--quiet", "--message", "change", cwd=project)


@pytest.fixture(scope="module")
def shop(tmp_path_factory, registry):
    """A project with a key of its own, and one signed image of it."""
    ensure_programs(["cosign"], Runner(), Engine(), tmp_path_factory.mktemp("logs"))
    root = tmp_path_factory.mktemp("a shop")
    (root / "Dockerfile").write_text(DOCKERFILE)
    (root / "compose.yaml").write_text(COMPOSE)
    (root / "greeting").write_text("hello\n")
    (root / "devenv.toml").write_text('[supply]\nkeys = ["cosign.pub"]\n')
    (root / ".gitignore").write_text("cosign.key\nimages.json\n")
    run("git", "init", "--quiet", cwd=root)
    run("cosign", "generate-key-pair", cwd=root)
    commit(root)
    push(root, registry)
    devenv(root, "sign", "--from", "images.json", "--key", "cosign.key")
    yield root
    docker("image", "rm", f"{find(root).name}-web", check=False)


def push(root, registry):
    said = devenv(root, "build", "--push", f"{registry}/shop", "--json").stdout
    (root / "images.json").write_text(said)
    return json.loads(said)["images"][0]


def web(root):
    return json.loads((root / "images.json").read_text())["images"][0]


def test_our_image_is_accepted_and_says_where_it_comes_from(shop):
    said = json.loads(devenv(shop, "verify", web(shop)["reference"], "--json", "--offline").stdout)
    assert said["commit"] == run("git", "rev-parse", "HEAD", cwd=shop).stdout.strip()
    assert (said["image_id"], said["builder"], said["from_ci"], said["sbom"]) == (
        web(shop)["id"], "urn:devenv:laptop", False, True)


def test_what_was_tested_is_attached_and_read_back(shop):
    project, runner = find(shop), Runner()
    tree = source(shop, runner)
    receipt = Receipt(
        project=project.name, made_at="2026-11-25T08:00:00+00:00", commit=tree.commit, dirty=tree.dirty,
        images=images_now(project, runner), backends={}, manifests={}, suites=(Suite("unit", 3, 0, 0, 0.1),),
        tools={}, tree=tree.tree,
    )
    write(project, receipt, runner)
    devenv(shop, "sign", "--from", "images.json", "--key", "cosign.key", "--receipt")
    said = devenv(shop, "verify", web(shop)["reference"]).stdout
    assert "tested     unit 3 passed\n" in said and f"receipt    {receipt.id[:8]} of" in said, said
    assert asdict(receipt)["images"]["web"]["image_id"] == web(shop)["id"]


def test_an_image_with_one_byte_changed_is_refused(shop, registry):
    tag = web(shop)["reference"].partition("@")[0]
    (shop / "greeting").write_text("hallo\n")
    try:
        run("docker", "build", "--quiet", "--tag", f"{tag}:changed", "--build-context",
            "debian:13-slim=docker-image://localhost/devenv/debian:13", ".", cwd=shop)
        docker("push", "--quiet", f"{tag}:changed")
        refused = devenv(shop, "verify", f"{tag}:changed", check=False)
        assert refused.returncode == 1 and "has no provenance that the key cosign.pub has signed" in refused.stderr
    finally:
        (shop / "greeting").write_text("hello\n")
        docker("image", "rm", f"{tag}:changed", check=False)


def test_another_key_and_ci_alone_refuse_it(shop, tmp_path):
    refused = devenv(shop, "verify", web(shop)["reference"], "--from-ci", check=False)
    assert refused.returncode == 1 and "devenv.toml names none" in refused.stderr
    run("cosign", "generate-key-pair", "--output-key-prefix", "other", cwd=tmp_path)
    settings = shop / "devenv.toml"
    before = settings.read_text()
    try:
        settings.write_text(f'[supply]\nkeys = ["{tmp_path}/other.pub"]\n')
        refused = devenv(shop, "verify", web(shop)["reference"], check=False)
        assert refused.returncode == 1 and "the key other.pub has signed" in refused.stderr
    finally:
        settings.write_text(before)


def test_files_that_are_no_commit_are_not_signed_for(shop):
    extra = shop / "extra"
    extra.write_text("not committed\n")
    try:
        refused = devenv(shop, "sign", "--from", "images.json", "--key", "cosign.key", check=False)
        assert refused.returncode == 1 and "these files are no commit" in refused.stderr
    finally:
        extra.unlink()


def test_a_workflow_is_known_by_its_certificate_and_another_one_is_refused(shop, tmp_path):
    path = {"PATH": f"{signing_as('build.yml', tmp_path)}{os.pathsep}{os.environ['PATH']}"}
    devenv(shop, "sign", "--from", "images.json", **GITHUB, **path)
    settings = shop / "devenv.toml"
    before = settings.read_text()
    try:
        settings.write_text(f'[supply]\nidentity = "{identity("(build|ci).yml")}"\n')
        said = json.loads(devenv(shop, "verify", web(shop)["reference"], "--from-ci", "--json", **path).stdout)
        assert said["from_ci"] and said["builder"] == identity("ci.yml")
        settings.write_text(f'[supply]\nidentity = "{identity("other.yml")}"\n')
        refused = devenv(shop, "verify", web(shop)["reference"], "--from-ci", check=False, **path)
        assert refused.returncode == 1 and "other.yml@refs/heads/main of https://token" in refused.stderr
    finally:
        settings.write_text(before)
