import shutil

import pytest

from devenv.images import recipes
from devenv.images.reference import parse

EVERY = [recipe.name for recipe in recipes.every()]


@pytest.mark.parametrize("name", EVERY)
def test_every_recipe_says_what_it_is_and_where_it_comes_from(name):
    recipe = recipes.load(name)
    assert recipe.product and recipe.licence and recipe.origin and recipe.version and recipe.notes
    assert recipe.build == "mmdebstrap" or (recipe.directory / "Dockerfile").is_file()
    assert all(recipes.load(base) for base in recipe.bases)


@pytest.mark.parametrize(("wanted", "name"), [
    ("apache/kafka", "kafka"), ("docker.io/library/redis:8", "redis"),
    ("quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z", "minio"), ("python:3.12-alpine", "python"),
    ("localhost/devenv/kafka:4.1.1", "kafka"),
])
def test_upstream_names_find_their_recipe(wanted, name):
    found = recipes.find(wanted)
    assert found is not None and found.name == name


def test_an_unknown_image_has_no_recipe():
    assert recipes.find("ghcr.io/someone/redis:8") is None


def test_the_same_product_in_another_version_is_a_stand_in():
    kafka = recipes.load("kafka")
    assert kafka.is_exact_for(parse(f"apache/kafka:{kafka.version}"))
    assert kafka.is_exact_for(parse("apache/kafka"))
    assert not kafka.is_exact_for(parse("apache/kafka:3.9.0"))
    assert not kafka.is_exact_for(parse(f"apache/kafka:{kafka.version}@sha256:ab"))


def test_a_changed_file_or_base_changes_the_hash(tmp_path, monkeypatch):
    shutil.copytree(recipes.DIRECTORY, tmp_path / "recipes")
    monkeypatch.setattr(recipes, "DIRECTORY", tmp_path / "recipes")
    recipes.load.cache_clear()
    before = {name: recipes.load(name).hash for name in ("debian", "python", "redis")}
    dockerfile = tmp_path / "recipes" / "python" / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text() + "# changed\n")
    recipes.load.cache_clear()
    after = {name: recipes.load(name).hash for name in before}
    assert [name for name in before if before[name] != after[name]] == ["python"]
    (tmp_path / "recipes" / "debian" / "new").write_text("x")
    recipes.load.cache_clear()
    assert all(recipes.load(name).hash != after[name] for name in before)
    recipes.load.cache_clear()
