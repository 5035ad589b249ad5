"""`devenv promote` on a real cluster: what is tested runs, what fails goes back, and nothing is written for nothing."""

import json
import os
from datetime import UTC, datetime
from time import monotonic

import pytest

# `make test-faults` asks for the whole matrix.
WHOLE = "DEVENV_FAULT_ROUNDS" in os.environ


def container(known, name):
    return known[name]["spec"]["template"]["spec"]["containers"][0]


def crash(known):
    container(known, "worker")["env"].append({"name": "CRASH", "value": "yes"})


def missing_configuration(known):
    container(known, "worker")["envFrom"] = [{"configMapRef": {"name": "nowhere"}}]


def never_ready(known):
    container(known, "worker")["readinessProbe"]["httpGet"]["port"] = 9


def no_room(known):
    container(known, "worker")["resources"] = {"requests": {"cpu": "1000"}}


FAULTS = [(crash, "CrashLoopBackOff"), (missing_configuration, "CreateContainerConfigError"),
          (never_ready, "not ready after"), (no_room, "Unschedulable")]
POINTS = ["apply_changes:after", "record:before", "apply_changes:before", "watch:after"]


def short(digests):
    return ", ".join(f"{name} {digest.removeprefix('sha256:')[:8]}" for name, digest in sorted(digests.items()))


@pytest.fixture(autouse=True)
def as_it_was(trial):
    """Each test begins and ends with manifests and settings that are good."""
    yield
    trial.manifests()
    trial.configure()
    trial.version("web", "one")
    trial.commit()


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


def test_all_reasons_against_it_are_told_at_once_and_nothing_is_changed(trial):
    before = trial.objects()
    trial.configure(cluster_uid="00000000-0000-0000-0000-000000000000", registry="localhost:1/none")
    trial.version("web", "four")
    said = trial.promote(code=1).stderr
    assert "the tree differs from its commit" in said
    assert "leads to another cluster" in said
    assert "the registry `localhost:1` is not reached" in said
    assert "no receipt" in said
    assert trial.objects() == before


def test_an_unknown_environment_is_named_with_a_suggestion(trial):
    assert "did you mean `staging`?" in trial.run("promote", "stagin", code=2).stderr


def test_a_second_promoter_is_refused_and_told_who_is_at_work(trial):
    now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    spec = {"holderIdentity": "ann@elsewhere process 7 (1)", "leaseDurationSeconds": 300, "acquireTime": now,
            "renewTime": now}
    trial.kubectl("patch", "lease", "devenv-promotion", "--type=merge", "--patch", json.dumps({"spec": spec}))
    try:
        assert "ann@elsewhere" in trial.promote(code=75).stderr
    finally:
        trial.kubectl("patch", "lease", "devenv-promotion", "--type=merge", "--patch",
                      json.dumps({"spec": {"holderIdentity": ""}}))


def test_drift_is_told_by_field_and_by_who_and_is_overwritten_on_request_only(trial):
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
    assert "kubectl-set" in trial.promote(code=1).stderr
    trial.promote("--take-over")
    trial.kubectl("delete", "service", "stranger")
    trial.run("diff", "staging")


@pytest.mark.parametrize("point", POINTS if WHOLE else POINTS[:2])
def test_killed_at_a_step_the_same_command_ends_what_it_began(trial, point):
    trial.manifests(change=lambda known: container(known, "web")["env"].append({"name": "POINT", "value": point}))
    trial.tested()
    trial.promote(code=-9, DEVENV_FAILPOINT=point)
    trial.promote()
    assert trial.release()["status"] == "deployed"
    trial.run("diff", "staging")


def test_a_tag_that_was_moved_in_the_registry_is_noticed(trial):
    trial.tested()
    trial.promote()
    image = trial.release()["images"]["web"]
    tag = f"{trial.registry}/trial/web:{image['image_id'].removeprefix('sha256:')[:20]}"
    trial.push_other(tag)
    try:
        assert "was moved" in trial.promote(code=1).stderr
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


@pytest.mark.parametrize(("fault", "reason"), FAULTS if WHOLE else FAULTS[:1])
def test_a_fault_takes_all_services_back_and_exits_with_4(trial, told, fault, reason):
    before, number = trial.digests(), trial.release()["number"]
    trial.version("web", "three")
    trial.manifests(change=fault)
    trial.tested()
    began = monotonic()
    done = trial.promote("--json", code=4)
    took_s = monotonic() - began
    assert json.loads(done.stdout)["restored"] == number
    assert "`worker`" in done.stderr and reason in done.stderr
    after = trial.digests()
    told.append((fault.__name__.replace("_", " "), "4", str(done.returncode), short(before), short(after),
                 f"{took_s:.0f}"))
    assert after == before
    assert trial.release()["number"] == number
    trial.run("diff", "staging")
