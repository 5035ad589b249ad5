"""`devenv promote --gitops` and a real Argo CD: one commit a release, and one more for the way back."""

import json

import pytest

from tests.e2e.cluster import git
from tests.e2e.promotion.faults import crash


def committed(served):
    """Subjects of the branch, newest first, of staging's folder alone."""
    return git(served[0], "log", "--format=%s", "releases", "--", "k8s/releases/staging").splitlines()


def wanted(trial):
    return {name: one["reference"].partition("@")[2] for name, one in trial.release()["images"].items()}


@pytest.fixture(autouse=True)
def as_it_was(trial):
    """Each test begins and ends with manifests that are good."""
    yield
    trial.manifests()
    trial.version("web", "one")
    trial.commit()


def test_a_promotion_is_a_commit_that_runs_and_a_second_one_writes_nothing(told, trial, served):
    assert committed(served) == ["trial: staging runs release 1"]
    assert told.status("staging")["health"]["status"] == "Healthy"
    told.say(f"staging: devenv promote, Synced to {told.status('staging')['sync']['revision'][:12]}, Healthy")
    assert trial.digests() == wanted(trial)
    before = trial.objects()
    assert json.loads(trial.promote("--json").stdout)["unchanged"] is True
    assert len(committed(served)) == 1 and trial.objects() == before


def test_a_change_is_promoted_and_rollback_is_a_commit_too(told, trial, served):
    before, commits = trial.digests(), len(committed(served))
    trial.version("web", "two")
    trial.tested()
    trial.promote()
    assert trial.digests() == wanted(trial) != before
    trial.run("rollback", "staging", "--yes")
    told.say("staging: devenv promote of a change, devenv rollback")
    assert trial.digests() == before
    assert len(committed(served)) == commits + 2
    tree = "releases{}:k8s/releases/staging/release.yaml"
    assert git(served[0], "rev-parse", tree.format("")) == git(served[0], "rev-parse", tree.format("~2"))


def test_a_release_that_crashes_is_reverted_by_a_commit_and_exits_with_4(told, trial, served):
    before, number, commits = trial.digests(), trial.release()["number"], len(committed(served))
    trial.version("web", "three")
    trial.manifests(change=crash)
    trial.tested()
    done = trial.promote("--json", code=4)
    told.say("staging: devenv promote of a service that crashes: exit code 4, reverted by a commit")
    assert json.loads(done.stdout)["restored"] == number
    assert "`worker`" in done.stderr and "CrashLoopBackOff" in done.stderr
    assert trial.digests() == before
    assert len(committed(served)) == commits + 2
    assert told.status("staging")["sync"]["status"] == "Synced"
    assert told.status("staging")["health"]["status"] == "Healthy"


@pytest.mark.parametrize("point", ["commit_release:after", "commit_release:before"])
def test_killed_at_the_commit_the_same_command_ends_what_it_began(told, trial, served, point):
    commits = len(committed(served))
    trial.manifests(change=lambda known: known["web"]["spec"]["template"]["spec"]["containers"][0]["env"].append(
        {"name": "POINT", "value": point}))
    trial.tested()
    trial.promote(code=-9, DEVENV_FAILPOINT=point)
    trial.promote()
    assert len(committed(served)) == commits + 1
    assert trial.release()["status"] == "deployed" and trial.digests() == wanted(trial)
    told.say(f"staging: killed at {point}, promoted again: one commit")


def test_git_revert_by_hand_takes_a_promotion_back(told, trial, served, hands):
    before = trial.digests()
    trial.version("web", "four")
    trial.tested()
    trial.promote()
    assert trial.digests() != before
    reverted = hands.revert()
    told.refresh("staging")
    told.wait("staging", reverted)
    assert trial.digests() == before
