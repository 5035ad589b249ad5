"""Argo CD in a cluster, and hands that commit: what is committed is what runs, and a revert is a rollback."""

import json
import time

import pytest

from tests.e2e.argocd.conftest import DEADLINE_S
from tests.e2e.argocd.project import BY_HAND, NAMESPACES, objects, settings


def digest(reference):
    return reference.rpartition("@")[2]


@pytest.fixture(scope="session")
def first(told, hands, versions):
    """A release that a hand committed, running."""
    commit = hands.commit("one", release=objects(versions[0]))
    told.say(f"{BY_HAND}: commit {commit[:12]}, by hand")
    told.wait(BY_HAND, commit)
    return commit


def test_a_commit_runs_without_anybody_telling_argo_cd(told, first, versions):
    assert told.images(BY_HAND) == ({"web": digest(versions[0])}, {"web": digest(versions[0])})


def test_a_commit_is_rolled_out_and_its_revert_rolls_back(told, first, hands, versions):
    committed = hands.commit("two", release=objects(versions[1]))
    told.refresh(BY_HAND)
    told.wait(BY_HAND, committed)
    assert told.images(BY_HAND) == ({"web": digest(versions[1])}, {"web": digest(versions[1])})
    reverted = hands.revert()
    told.say(f"{BY_HAND}: git revert {committed[:12]}")
    told.refresh(BY_HAND)
    told.wait(BY_HAND, reverted)
    assert told.images(BY_HAND) == ({"web": digest(versions[0])}, {"web": digest(versions[0])})


def test_what_a_commit_no_longer_has_is_pruned_also_under_a_release_that_never_runs(told, first, hands, versions):
    """A sync that waits for such pods before it prunes would hold up the revert."""
    with_settings = hands.commit("settings", release=objects(versions[0], settings("old")))
    told.refresh(BY_HAND)
    told.wait(BY_HAND, with_settings)
    broken = hands.commit("broken", release=objects(f"{versions[0][:-4]}beef", settings("new")))
    told.refresh(BY_HAND)
    told.until(BY_HAND, lambda status: status["sync"] == {**status["sync"], "status": "Synced", "revision": broken})
    assert {one["metadata"]["name"] for one in told.items(BY_HAND, "configmaps")} - {"kube-root-ca.crt"} == {"new"}
    assert told.status(BY_HAND)["health"]["status"] == "Progressing"
    began = time.monotonic()
    reverted = hands.revert()
    told.refresh(BY_HAND)
    told.wait(BY_HAND, reverted)
    told.say(f"{BY_HAND}: git revert of an image that is not there, {time.monotonic() - began:.0f} s")
    assert told.images(BY_HAND)[1] == {"web": digest(versions[0])}
    reverted = hands.commit("no settings", release=objects(versions[0]))
    told.refresh(BY_HAND)
    told.wait(BY_HAND, reverted)


def test_what_is_changed_by_hand_in_the_cluster_is_put_back(told, first, versions):
    before = told.images(BY_HAND)[0]
    told.kubectl.within(NAMESPACES[BY_HAND]).read("set", "image", "deployment/web", f"service={versions[1]}")
    deadline = time.monotonic() + DEADLINE_S
    while told.images(BY_HAND)[0] != before:
        assert time.monotonic() < deadline, "the change by hand is still there"
        time.sleep(1)
    told.say(f"{BY_HAND}: a change by hand in the cluster was put back")


ROLE = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": {"name": "stray", "namespace": NAMESPACES[BY_HAND]},
        "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]}
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "stray", "namespace": NAMESPACES[BY_HAND]},
       "spec": {"containers": [{"name": "c", "image": "nothing"}]}}


@pytest.mark.parametrize(("stray", "said"), [
    # The controller's own role stops before the project does: it may not even look at one.
    (ROLE, 'cannot get resource \\"roles\\"'), (POD, "resource :Pod is not permitted in project caas"),
], ids=["Role", "Pod"])
def test_what_is_not_allowed_is_refused_and_the_rest_stays(told, first, hands, stray, said):
    before = told.images(BY_HAND)
    refused = hands.commit("more", stray=[stray])
    told.refresh(BY_HAND)
    told.until(BY_HAND, lambda status: status["sync"].get("revision") == refused and said in json.dumps(status))
    told.say(f"{BY_HAND}: a {stray['kind']} is refused")
    assert "stray" not in {one["metadata"]["name"] for one in told.items(BY_HAND, f"{stray['kind'].lower()}s")}
    assert told.images(BY_HAND) == before
    reverted = hands.revert()
    told.refresh(BY_HAND)
    told.wait(BY_HAND, reverted)
