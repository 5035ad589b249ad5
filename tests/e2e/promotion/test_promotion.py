"""`devenv promote` on a real cluster: what is tested runs, what fails goes back, and nothing is written for nothing."""

import json


def test_the_tested_images_run_and_a_second_promotion_writes_nothing(trial):
    trial.tested()
    trial.promote()
    before = trial.objects()
    answer = json.loads(trial.promote("--json").stdout)
    assert answer["unchanged"] is True
    assert trial.objects() == before
    release = trial.release()
    file, = (trial.root / ".devenv" / "receipts").glob(f"*-{release['receipt'][:8]}.json")
    tested = json.loads(file.read_text())
    assert {name: one["image_id"] for name, one in release["images"].items()} == {
        name: one["image_id"] for name, one in tested["images"].items()}
    assert trial.digests() == {name: one["reference"].partition("@")[2] for name, one in release["images"].items()}


def test_a_good_change_runs_and_rollback_returns_to_what_ran_before(trial):
    before, number = trial.digests(), trial.release()["number"]
    trial.version("web", "two")
    trial.tested()
    trial.promote()
    assert trial.digests() != before
    assert trial.release()["number"] == number + 1
    trial.run("rollback", "staging", "--yes")
    assert trial.digests() == before
    assert trial.release()["reason"] == f"rollback to {number}"


def test_all_reasons_against_it_are_told_at_once_and_nothing_is_changed(trial, attempt):
    before = trial.objects()
    trial.configure(cluster_uid="00000000-0000-0000-0000-000000000000", registry="localhost:1/none")
    trial.version("web", "four")
    said = attempt("another cluster, another registry, changed files, untested images, all at once", 1).stderr
    assert "the tree differs from its commit" in said
    assert "leads to another cluster" in said
    assert "the registry `localhost:1` is not reached" in said
    assert "no receipt" in said
    assert trial.objects() == before


def test_an_unknown_environment_is_named_with_a_suggestion(trial):
    assert "did you mean `staging`?" in trial.run("promote", "stagin", code=2).stderr


def test_drift_is_told_by_field_and_by_who_and_is_overwritten_on_request_only(trial, attempt):
    trial.kubectl("set", "env", "deployment/web", "LEVEL=debug")
    trial.kubectl("scale", "deployment/worker", "--replicas=2")
    trial.kubectl("create", "service", "clusterip", "stranger", "--tcp=80")
    found = json.loads(trial.run("diff", "staging", "--json", code=3).stdout)
    told = {(one["object"], one["field"]): (one["before"], one["after"], one["owner"]) for one in found["changes"]}
    assert told["Deployment/web", "spec.template.spec.containers.service.env.LEVEL.value"] == (
        "debug", "info", "kubectl-set")
    assert told["Deployment/worker", "spec.replicas"][:2] == ("2", "1")
    assert found["extra"] == ["Service/stranger"]
    trial.tested()
    assert "kubectl-set" in attempt("drift: somebody has set fields that the release sets", 1).stderr
    trial.promote("--take-over")
    trial.kubectl("delete", "service", "stranger")
    trial.run("diff", "staging")


def test_a_tag_that_was_moved_in_the_registry_is_noticed(trial, attempt):
    trial.tested()
    trial.promote()
    image = trial.release()["images"]["web"]
    tag = f"{trial.registry}/trial/web:{image['image_id'].removeprefix('sha256:')[:20]}"
    trial.push_other(tag)
    try:
        assert "was moved" in attempt("an image's tag was moved in the registry", 1).stderr
    finally:
        trial.push(image["image_id"], tag)


def test_production_takes_what_runs_in_staging_and_nothing_else(trial):
    trial.tested()
    trial.promote()
    trial.version("web", "five")
    trial.commit()
    trial.run("promote", "production", "--yes")
    listed = json.loads(trial.run("releases", "production", "--json").stdout)["releases"]
    assert listed[0]["images"] == trial.release()["images"]
