import pytest

from devenv.errors import DevenvError
from devenv.images import recipes, resolve
from tests.unit.fakes import FakeEngine, FakeRunner


def current(name):
    recipe = recipes.load(name)
    labels = {recipes.HASH_LABEL: recipe.hash, recipes.RECIPE_LABEL: name}
    return recipe.reference, {"Id": f"sha256:{name}", "Size": 1, "Config": {"Labels": labels}}


class BuildingEngine(FakeEngine):
    """An engine that has an image once a runner was asked to build or pull it."""

    def __init__(self, runner):
        super().__init__()
        self.runner = runner

    def image(self, reference):
        for recipe in recipes.every():
            if reference == recipe.reference and any(f"--tag {reference}" in call for call in self.runner.calls):
                return current(recipe.name)[1]
        if any(call == f"docker pull --quiet {reference}" for call in self.runner.calls):
            return {"Id": "sha256:pulled", "RepoDigests": ["x@sha256:1"]}
        return self.images.get(reference)


def run(engine, runner, tmp_path, *wanted, offline=False):
    return resolve.resolve(wanted, engine=engine, runner=runner, offline=offline, logs=tmp_path)


def test_an_image_that_is_here_is_taken_without_any_command(tmp_path):
    engine, runner = FakeEngine(), FakeRunner()
    engine.images["mongo:8.0"] = {"Id": "sha256:1", "RepoDigests": ["mongo@sha256:2"]}
    found = run(engine, runner, tmp_path, "mongo:8.0")["mongo:8.0"]
    assert (found.reference, found.source, found.exact, runner.calls) == ("mongo:8.0", "pulled", True, [])


def test_an_image_built_before_is_used_again_and_called_a_stand_in(tmp_path):
    engine, runner = FakeEngine(), FakeRunner()
    engine.images = dict([current("redis")])
    found = run(engine, runner, tmp_path, "redis:8")["redis:8"]
    assert (found.source, found.exact, found.product, runner.calls) == ("built", False, "Valkey 8.1", [])


def test_what_the_registry_gives_is_not_built(tmp_path):
    runner = FakeRunner()
    assert run(BuildingEngine(runner), runner, tmp_path, "redis:8")["redis:8"].source == "pulled"
    assert runner.calls == ["docker pull --quiet redis:8"]


def test_the_first_registry_out_of_reach_ends_the_pulls(tmp_path):
    runner = FakeRunner({"docker pull": 1})
    assert resolve._pull(["redis:8", "apache/kafka:4.1.1"], runner, tmp_path, lambda _: False) == [
        "redis:8", "apache/kafka:4.1.1"]
    assert runner.calls == ["docker pull --quiet redis:8"]


def test_an_image_that_a_registry_lacks_does_not_end_the_pulls(tmp_path):
    runner = FakeRunner({"pull --quiet a:1": 1})
    assert resolve._pull(["a:1", "b:1"], runner, tmp_path, lambda _: True) == ["a:1"]
    assert len(runner.calls) == 2


def test_an_image_of_which_there_is_no_recipe_is_named_before_anything_is_built(tmp_path):
    runner = FakeRunner({"docker pull": 1})
    with pytest.raises(DevenvError, match="no image `ghcr.io/x/y:1`") as failure:
        run(BuildingEngine(runner), runner, tmp_path, "redis:8", "ghcr.io/x/y:1", offline=False)
    assert failure.value.details["images"] == ["ghcr.io/x/y:1"]
    assert not any("build" in call for call in runner.calls)


def test_offline_fetches_and_builds_nothing(tmp_path):
    runner = FakeRunner()
    with pytest.raises(DevenvError, match="--offline"):
        run(FakeEngine(), runner, tmp_path, "redis:8", offline=True)
    assert runner.calls == []


def test_bases_are_built_before_what_stands_on_them(tmp_path):
    class Runner(FakeRunner):
        def pipe(self, source, sink, log, env=None):
            self.calls.append(f"import --tag {sink[-1]}")

    runner = Runner()
    resolve.build_recipes([recipes.load("minio")], engine=BuildingEngine(runner), runner=runner, logs=tmp_path)
    assert [call.split("--tag ")[1].split()[0] for call in runner.calls if "--tag " in call] == [
        recipes.load(name).reference for name in ("debian", "python", "minio")]


def test_the_image_of_this_recipe_gets_its_own_name_where_it_has_only_the_common_one(tmp_path):
    recipe, (reference, image) = recipes.load("redis"), current("redis")
    engine, runner = FakeEngine(), FakeRunner()
    engine.images[recipe.alias] = image
    found = run(engine, runner, tmp_path, "redis:8")["redis:8"]
    assert found.reference == reference and runner.calls == []
    repository, _, tag = reference.rpartition(":")
    assert ("POST", "/images/sha256:redis/tag", {"repo": repository, "tag": tag}) in engine.calls


def test_the_image_of_another_checkouts_recipe_is_left_alone(tmp_path):
    recipe, (reference, image) = recipes.load("redis"), current("redis")
    engine, runner = FakeEngine(), FakeRunner()
    engine.images[recipe.alias] = {**image, "Config": {"Labels": {recipes.HASH_LABEL: "another"}}}
    engine.images[reference] = image
    assert run(engine, runner, tmp_path, "redis:8")["redis:8"].reference == reference
    assert runner.calls == []
