"""The rest of the matrix of faults: what takes longer than `make test` has time for."""

import json
import os
import random
import subprocess
from threading import Timer
from time import monotonic

import pytest

from devenv.promotion.promote import PROMOTE as STEPS
from tests.e2e.promotion.faults import (
    APPLIED,
    RENDERED,
    changed,
    ends_what_it_began,
    hold,
    missing_configuration,
    never_ready,
    no_room,
    other,
    rolled_back,
    takes_all_services_back,
)
from tests.e2e.promotion.people import person, revoke

ROUNDS = int(os.environ.get("DEVENV_FAULT_ROUNDS", 3))
SEED = int(os.environ.get("DEVENV_FAULT_SEED", 0)) or random.randrange(1, 1_000_000)
FAULTS = [(missing_configuration, "CreateContainerConfigError"), (never_ready, "not ready after"),
          (no_room, "Unschedulable")]
# Before each step, and after the last: before a step is after the one before it.
POINTS = [*(f"{step.__name__}:before" for step in STEPS), f"{STEPS[-1].__name__}:after"]


@pytest.mark.parametrize(("fault", "reason"), FAULTS)
def test_a_fault_takes_all_services_back_and_exits_with_4(trial, attempt, fault, reason):
    takes_all_services_back(trial, attempt, fault, reason)


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_step_the_same_command_ends_what_it_began(trial, attempt, point):
    ends_what_it_began(trial, attempt, point)


def test_an_image_that_vanishes_from_the_registry_ends_it_in_seconds(trial, attempt):
    changed(trial, "vanished")
    done = attempt("image gone from the registry before the node pulls it", 4, at=RENDERED,
                   act=lambda: trial.delete_image("web", but=trial.digests()["web"]))
    assert "`web`" in done.stderr and "ErrImagePull" in done.stderr
    assert done.after == done.before


def test_a_registry_that_goes_away_before_the_node_pulls_ends_it_in_seconds(trial, attempt, cluster):
    _, registry = cluster
    changed(trial, "unreached")
    try:
        done = attempt("registry gone before the node pulls", 4, at=RENDERED, act=lambda: stop(registry.name))
        assert "`web`" in done.stderr and "ErrImagePull" in done.stderr
        assert done.after == done.before
        refused = attempt("registry unreachable", 1)
        assert f"the registry `{registry.host}` is not reached" in refused.stderr
    finally:
        registry.start("")


def test_a_rollback_to_an_image_that_is_gone_is_refused_before_anything_is_changed(trial, attempt):
    trial.take("one")
    trial.promote()
    trial.take("two")
    trial.promote()
    trial.delete_image("web", but=trial.digests()["web"])
    before = trial.objects()
    done = attempt("image of the release before gone from the registry, `devenv rollback`", 1,
                   "rollback", "staging", "--yes")
    assert "the registry no longer gives" in done.stderr and "trial/web@sha256:" in done.stderr
    assert trial.objects() == before


def stop(name):
    subprocess.run(["docker", "stop", "--time", "0", name], check=True, capture_output=True)


def test_the_rights_of_the_guide_are_enough_and_a_token_revoked_half_way_is_told(trial, attempt):
    trial.take("one")
    trial.promote()
    with person(trial, "promoter") as kubeconfig:
        trial.take("two")
        attempt("none: a good change, with the rights of the guide", 0, KUBECONFIG=str(kubeconfig))
        changed(trial, "three", never_ready, timeout_s=60)
        done = attempt("token revoked while pods start", 5, at=APPLIED, act=lambda: revoke(trial, "promoter"),
                       KUBECONFIG=str(kubeconfig))
    assert "Unauthorized" in done.stderr and "devenv rollback staging" in done.stderr
    rolled_back(attempt, "token revoked while pods start", done.before)


def test_a_silence_of_the_api_server_while_pods_start_is_outlasted(trial, attempt, proxy, through):
    trial.take("one")
    trial.promote()
    trial.take("two")

    def fall_silent():
        proxy.speaking.clear()
        Timer(30, proxy.speaking.set).start()

    done = attempt("API server silent for 30 s while pods start", 0, at=APPLIED, act=fall_silent, KUBECONFIG=through)
    assert done.after != done.before
    trial.run("diff", "staging")


def test_a_silence_that_does_not_end_is_told_and_rollback_mends_it(trial, attempt, proxy, through):
    changed(trial, "three", never_ready)
    done = attempt("API server silent from when pods start", 5, at=APPLIED, act=proxy.speaking.clear,
                   KUBECONFIG=through)
    assert "has not answered for 60 s" in done.stderr and "devenv rollback staging" in done.stderr
    rolled_back(attempt, "API server silent from when pods start", done.before)


def test_who_loses_the_lease_half_way_writes_nothing_more(trial, attempt):
    def written():
        items = json.loads(trial.kubectl("get", "deployments,services,secrets", "-o", "json"))["items"]
        return {(one["kind"], one["metadata"]["name"]): one["metadata"].get("generation",
                                                                            one["metadata"]["resourceVersion"])
                for one in items}

    seen = []

    def lose():
        hold(trial, "ann@elsewhere process 7 (1)")
        seen.append(written())

    changed(trial, "three", never_ready, timeout_s=15)
    try:
        done = attempt("lease lost while pods start", 75, at=APPLIED, act=lose)
        assert "ann@elsewhere" in done.stderr
        assert [written()] == seen
    finally:
        hold(trial, "")
    rolled_back(attempt, "lease lost while pods start", done.before)


def test_killed_while_pods_start_a_rollback_reverts(trial, attempt):
    trial.take(other(trial))
    before = trial.digests()
    trial.promote(code=-9, DEVENV_FAILPOINT="watch:before")
    done = attempt("killed at `watch:before`, then `devenv rollback`", 0, "rollback", "staging", "--yes",
                   before=before)
    assert done.after == before


def test_killed_at_any_moment_the_same_command_ends_what_it_began(trial, attempt):
    trial.take(other(trial))
    began = monotonic()
    trial.promote()
    took_s = monotonic() - began
    print(f"DEVENV_FAULT_SEED={SEED}")
    dice = random.Random(SEED)
    for _ in range(ROUNDS):
        image, before = trial.take(other(trial)), trial.digests()
        trial.killed("promote", "staging", "--yes", after_s=dice.uniform(0, took_s))
        done = attempt("killed at a random moment, then the same command", 0, before=before)
        assert trial.release()["images"]["web"]["image_id"] == image
        assert done.after == trial.released()
