from pathlib import Path

from devenv.images.overlay import image_overlay
from devenv.images.resolve import Resolved
from devenv.images.wanted import wanted_images


def model(tmp_path, dockerfile):
    (tmp_path / "Dockerfile").write_text(dockerfile)
    return {"services": {
        "web": {"build": {"context": str(tmp_path), "dockerfile": "Dockerfile"}},
        "db": {"image": "mongo:8.0"},
        "broken": {"build": {"context": "/nowhere"}},
    }}


def test_backends_and_the_bases_of_builds_are_wanted_with_their_users(tmp_path):
    data = model(tmp_path, "FROM mongo:8.0 AS x\nFROM python:3.13-slim\nCOPY --from=x /a /b\n")
    assert wanted_images(data, ["web", "db"]) == {"python:3.13-slim": ("web",), "mongo:8.0": ("web", "db")}


def test_images_and_bases_are_pointed_at_what_was_found(tmp_path):
    data = model(tmp_path, "FROM python:3.13-slim\n")
    images = {"mongo:8.0": Resolved("mongo:8.0", "localhost/devenv/mongodb:1", "built"),
              "python:3.13-slim": Resolved("python:3.13-slim", "localhost/devenv/python:3", "built")}
    assert image_overlay(data, ["web", "db"], images, None) == {"services": {
        "web": {"build": {"additional_contexts": {"python:3.13-slim": "docker-image://localhost/devenv/python:3"}}},
        "db": {"image": "localhost/devenv/mongodb:1"}}}


def test_originals_need_no_overlay(tmp_path):
    data = model(tmp_path, "FROM python:3.13-slim\n")
    images = {name: Resolved(name, name, "pulled") for name in ("mongo:8.0", "python:3.13-slim")}
    assert image_overlay(data, ["web", "db"], images, Path("/ca")) == {}


def test_a_dockerfile_that_asks_for_the_certificates_gets_them(tmp_path):
    data = model(tmp_path, "FROM a\nRUN --mount=type=secret,id=ca_bundle pip install x\n")
    assert image_overlay(data, ["web"], {}, Path("/ca.crt")) == {
        "services": {"web": {"build": {"secrets": ["ca_bundle"]}}}, "secrets": {"ca_bundle": {"file": "/ca.crt"}}}
    data["secrets"] = {"ca_bundle": {"file": "theirs"}}
    assert image_overlay(data, ["web"], {}, Path("/ca.crt")) == {}
