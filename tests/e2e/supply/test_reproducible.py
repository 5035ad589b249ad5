"""The same source gives the same image: elsewhere, under another umask, and built again from nothing."""

import json
import os
import subprocess

import pytest

from tests.e2e.checkout import Checkout, clean_environment, copy_of_the_working_tree, docker

SERVICE = "gateway"


def bake_from_nothing(checkout, file, name):
    """`docker buildx bake --no-cache` as a person types it; returns the image's ID."""
    tagged = f"{SERVICE}.tags={name}"
    subprocess.run(
        ["docker", "buildx", "bake", "--file", file, "--no-cache", "--load", "--set", tagged, SERVICE],
        cwd=checkout.root, env={**clean_environment(), "BUILDX_BAKE_ENTITLEMENTS_FS": "0"}, check=True,
        capture_output=True, text=True,
    )
    return docker("image", "inspect", "--format", "{{.Id}}", name)


@pytest.fixture
def checkouts(tmp_path):
    """Two copies of the source whose paths, times and modes differ."""
    one = Checkout(copy_of_the_working_tree(tmp_path / "one"), 0)
    two = Checkout(copy_of_the_working_tree(tmp_path / "another place" / "two"), 0)
    for path in two.root.rglob("*"):
        if path.is_file() and ".git" not in path.parts:
            os.utime(path, (1_000_000_000, 1_000_000_000))
            path.chmod(path.stat().st_mode & 0o700)
    yield one, two
    one.remove()
    two.remove()


def test_two_builds_from_nothing_of_one_source_have_one_digest(checkouts, registry):
    one, two = checkouts
    for checkout in checkouts:
        checkout.run("build", SERVICE)
    names = [f"{registry}/{place}/{SERVICE}:1" for place in ("one", "two")]
    # Once from the file that devenv writes for bake, once from the project's own with the `.env` that devenv wrote.
    images = {bake_from_nothing(one, ".devenv/bake.yml", names[0]),
              bake_from_nothing(two, "docker-compose.yml", names[1])}
    built = {row["id"] for checkout in checkouts for row in checkout.json("build", SERVICE)["images"]
             if row["service"] == SERVICE}
    assert images == built and len(images) == 1
    for name in names:
        docker("push", "--quiet", name)
    pushed = json.loads(docker("image", "inspect", "--format", "{{json .RepoDigests}}", names[0]))
    digests = {reference.partition("@")[2] for reference in pushed if reference.startswith(f"{registry}/")}
    assert len(digests) == 1, pushed
    for name in names:
        docker("image", "rm", name)


def test_an_image_carries_no_time_and_no_name_of_its_checkout(checkouts):
    one, _ = checkouts
    one.run("build", SERVICE)
    image = json.loads(docker("image", "inspect", f"{one.name}-{SERVICE}"))[0]
    assert image["Created"].startswith("1970-01-01T00:00:00")
    assert not [label for label in image["Config"]["Labels"] if label.startswith("com.docker.compose")]
