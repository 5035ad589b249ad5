"""What may go wrong in a promotion, on a real cluster: each test is a row of docs/reference/promotion-faults.md.

What takes minutes is in the folder `slow`: `make test-faults`.
"""

import pytest

from tests.e2e.promotion.faults import changed, crash, ends_what_it_began, hold, takes_all_services_back
from tests.e2e.promotion.people import CLUSTER_RIGHTS, FEW, person


def test_a_crash_takes_all_services_back_and_exits_with_4(trial, attempt):
    takes_all_services_back(trial, attempt, crash, "CrashLoopBackOff")


def test_a_quota_that_leaves_no_room_for_a_new_pod_ends_it_in_seconds(trial, attempt):
    changed(trial, "three")
    trial.kubectl("create", "quota", "little", "--hard=pods=2")
    try:
        # Until it is counted, it refuses with another reason.
        trial.kubectl("wait", "quota/little", "--for=jsonpath={.status.used.pods}=2", "--timeout=30s")
        done = attempt("quota exceeded", 4)
    finally:
        trial.kubectl("delete", "quota", "little")
    assert "`web`" in done.stderr and "exceeded quota: little" in done.stderr
    assert done.after == done.before


def test_rights_that_are_lacking_are_named_and_nothing_is_changed(trial, attempt):
    before = trial.objects()
    with person(trial, "reader", FEW, CLUSTER_RIGHTS) as kubeconfig:
        done = attempt("rights missing", 1, KUBECONFIG=str(kubeconfig))
    for right in ("create leases", "patch secrets", "patch deployments"):
        assert right in done.stderr
    assert "RBAC" in done.stderr
    assert trial.objects() == before


def test_a_token_that_is_refused_is_told_and_nothing_is_changed(trial, attempt):
    before = trial.objects()
    kubeconfig = trial.kubeconfig_with("stranger", user={"token": "expired"})
    done = attempt("token refused", 1, KUBECONFIG=str(kubeconfig))
    assert "Unauthorized" in done.stderr
    assert trial.objects() == before


def test_an_api_server_that_takes_connections_and_says_nothing_is_given_up_in_seconds(trial, attempt, proxy, through):
    before = trial.objects()
    proxy.speaking.clear()
    done = attempt("API server silent", 1, KUBECONFIG=through)
    assert "does not answer as it should: no answer within" in done.stderr
    assert trial.objects() == before


def test_a_second_promoter_is_refused_and_told_who_is_at_work(trial, attempt):
    hold(trial, "ann@elsewhere process 7 (1)")
    try:
        assert "ann@elsewhere" in attempt("another promotion is at work", 75).stderr
    finally:
        hold(trial, "")


@pytest.mark.parametrize("point", ["watch:before", "record:before"])
def test_killed_at_a_step_the_same_command_ends_what_it_began(trial, attempt, point):
    ends_what_it_began(trial, attempt, point)
