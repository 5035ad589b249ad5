"""Promotion without a cluster: what tells a rollout's end, who owns a field, who holds the lease, what goes back."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from devenv.config import Environment, load_config
from devenv.errors import CommandError, DevenvError, LockedError, NotRolledBackError, RolledBackError, UsageError
from devenv.project import find
from devenv.promotion import fetched, fit, lease, preflight, push, release, render, session, undo, watch
from devenv.promotion.apply import groups, obsolete
from devenv.promotion.compare import changes
from devenv.promotion.context import Options, Promotion
from devenv.promotion.undo import pick
from devenv.shell import Runner
from tests.e2e.promotion import people
from tests.unit.fakes import FakeRunner

ID = f"sha256:{'a' * 64}"
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def deployment(**status):
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "generation": 2, "uid": "u"},
            "spec": {"replicas": 2}, "status": {"observedGeneration": 2, **status}}


def pod(reason="", message="", restarts=0, **more):
    waiting = {"waiting": {"reason": reason, "message": message}} if reason else {"running": {}}
    return {"kind": "Pod", "metadata": {"name": "web-1"}, "status": {
        "containerStatuses": [{"name": "c", "state": waiting, "restartCount": restarts}], **more}}


def a_release(number, status=release.DEPLOYED, identity="one"):
    return release.Release(identity, {}, "r", "c", "m", "t", "me", number, status)


def test_a_deployment_is_done_only_when_nothing_older_runs():
    ready = {"updatedReplicas": 2, "readyReplicas": 2, "replicas": 2}
    assert watch.is_done(deployment(**ready))
    assert not watch.is_done(deployment(**{**ready, "replicas": 3}))
    assert not watch.is_done(deployment(**{**ready, "updatedReplicas": 1}))
    assert not watch.is_done(deployment(**{**ready, "observedGeneration": 1}))


@pytest.mark.parametrize(("seen", "told"), [
    (pod("ImagePullBackOff", "no such manifest"), "ErrImagePull: no such manifest"),
    (pod("CrashLoopBackOff", restarts=2), "CrashLoopBackOff: 2 restarts"),
    (pod("CreateContainerConfigError", "no Secret"), "CreateContainerConfigError: no Secret"),
    (pod(conditions=[{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "cpu"}]),
     "Unschedulable: cpu"),
])
def test_a_reason_that_time_does_not_mend_is_named(seen, told):
    assert [reason for reason, _ in watch.reasons(None, [seen])] == [told]


def test_one_crash_and_what_is_said_of_an_older_generation_are_no_reasons():
    quota = [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota"}]
    assert not list(watch.reasons(None, [pod("CrashLoopBackOff", restarts=1)]))
    assert list(watch.reasons(None, [pod("CrashLoopBackOff", restarts=1)], watch.RESTARTS_ON_TOP))
    assert not list(watch.reasons(deployment(observedGeneration=1, conditions=quota), []))
    assert [one for one, _ in watch.reasons(deployment(conditions=quota), [])] == ["FailedCreate: exceeded quota"]


def test_a_changed_field_is_told_with_the_manager_that_set_it():
    before = {"kind": "Deployment", "metadata": {"name": "web", "managedFields": [
        {"manager": "devenv", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
        {"manager": "kubectl-set", "fieldsV1": {"f:spec": {"f:containers": {
            'k:{"name":"c"}': {"f:image": {}}}}}}]},
        "spec": {"replicas": 1, "containers": [{"name": "c", "image": "b"}]}}
    after = {"kind": "Deployment", "metadata": {"name": "web", "resourceVersion": "9"},
             "spec": {"replicas": 2, "containers": [{"name": "c", "image": "a"}]}}
    found = {one.field: (one.before, one.after, one.owner) for one in changes(before, after)}
    assert found == {"spec.containers.c.image": ("b", "a", "kubectl-set"), "spec.replicas": ("1", "2", "")}


def held(holder, seconds_ago):
    then = (NOW - timedelta(seconds=seconds_ago)).isoformat()
    return {"spec": {"holderIdentity": holder, "leaseDurationSeconds": 30, "acquireTime": then, "renewTime": then}}


def test_a_lease_is_respected_while_its_holder_renews_it():
    with pytest.raises(LockedError, match="ann@elsewhere process 7"):
        lease.refuse_if_held(held("ann@elsewhere process 7 (1)", 10), "me", NOW)
    lease.refuse_if_held(held("ann@elsewhere process 7 (1)", 60), "me", NOW)
    lease.refuse_if_held(held("me", 1), "me", NOW)
    lease.refuse_if_held(None, "me", NOW)


def test_a_holder_of_this_machine_that_is_dead_holds_nothing():
    alive = lease.who()
    with pytest.raises(LockedError):
        lease.refuse_if_held(held(alive, 1), "another", NOW)
    reused = alive.rpartition(" (")[0] + " (1)"
    lease.refuse_if_held(held(reused, 1), "another", NOW)


def test_a_promotion_that_lost_its_lease_writes_nothing_more():
    other = json.dumps({"spec": {"holderIdentity": "ann", "leaseTransitions": 5}})
    kubectl = lease.Kubectl(FakeRunner({"get lease": other}), None, "c", "n")
    with pytest.raises(lease.LostLeaseError, match="lost its lease to ann"):
        lease.Lease(kubectl, "me", 4).check()


def test_a_lease_is_given_up_in_one_request_that_another_holders_would_refuse():
    kubectl = lease.Kubectl(FakeRunner({}), None, "c", "n")
    lease.Lease(kubectl, "me", 4).release()
    (call,) = kubectl.runner.calls
    words, _, patch = call.partition(" --patch ")
    assert words.endswith("patch lease devenv-promotion --type=json")
    tested = {one["path"]: one["value"] for one in json.loads(patch) if one["op"] == "test"}
    assert tested == {"/spec/holderIdentity": "me", "/spec/leaseTransitions": 4}


def test_a_lease_lost_after_the_first_change_brings_nothing_back_and_exits_as_one_that_is_held(tmp_path):
    promotion = a_promotion(tmp_path, {})

    def lose(promotion):
        """Lose the lease."""
        promotion.began = True
        raise lease.LostLeaseError("to ann", "wait")

    with pytest.raises(lease.LostLeaseError) as ended:
        session._run(promotion, "promote", (lose,))
    assert ended.value.exit_code == 75
    assert promotion.runner.calls == []


def test_a_lease_lost_on_the_way_back_is_no_failure_of_the_way_back(tmp_path):
    promotion = a_promotion(tmp_path, {"get --ignore-not-found": json.dumps({"kind": "List", "items": [
        {**deployment(), "metadata": {"name": "web", "labels": {"devenv/project": "shop"}}}]})})
    promotion.target = replace(promotion.target, objects=(deployment(),))
    lost = lease.LostLeaseError("to ann", "wait")

    def refuse():
        raise lost

    promotion.lease.check = refuse
    assert undo.revert(promotion, DevenvError("it crashed")) is lost
    assert not any("patch secret" in call for call in promotion.runner.calls)


def manifest(config):
    return json.dumps({"config": {"digest": config}})


def test_an_image_is_what_the_registry_gives_back_by_digest():
    text = manifest(ID)
    found = push.there(FakeRunner({"imagetools": text}), "r.example/t", "web", ID)
    assert found == release.Image(ID, f"r.example/t/web@sha256:{sha256(text.encode()).hexdigest()}")


def test_a_tag_that_leads_to_another_image_is_refused():
    with pytest.raises(DevenvError, match="was moved"):
        push.there(FakeRunner({"imagetools": manifest("sha256:other")}), "r.example/t", "web", ID)


def test_an_index_is_refused_and_an_absent_image_is_absent():
    with pytest.raises(DevenvError, match="no image of one platform"):
        push.there(FakeRunner({"imagetools": '{"manifests": []}'}), "r.example/t", "web", ID)
    assert push.there(FakeRunner({"imagetools": 1}), "r.example/t", "web", ID) is None


def test_a_job_is_named_by_its_content_and_objects_are_marked():
    job = {"kind": "Job", "metadata": {"name": "init"}, "spec": {"template": {"a": 1}}}
    one, = render.finish([job], "shop")
    other, = render.finish([{**job, "spec": {"template": {"a": 2}}}], "shop")
    assert one["metadata"]["name"] != other["metadata"]["name"]
    assert one["metadata"]["labels"] == {"devenv/project": "shop"}
    assert job["metadata"] == {"name": "init"}


def test_an_image_by_tag_and_an_image_that_nothing_runs_are_refused():
    def web(image):
        return {"kind": "Deployment", "spec": {"template": {"spec": {"containers": [{"image": image}]}}}}

    ours = {"web": release.Image(ID, f"r/web@{ID}")}
    render.check_digests([web(f"r/web@{ID}")], ours)
    with pytest.raises(DevenvError, match="by tag: web:1"):
        render.check_digests([web("web:1")], ours)
    with pytest.raises(DevenvError, match="runs the image of web"):
        render.check_digests([web(f"r/other@{ID}")], ours)


def test_objects_go_in_dependency_order_and_a_namespace_is_never_removed():
    def one(kind, name="x"):
        return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}}

    ordered = groups([one("Ingress"), one("Deployment"), one("Job"), one("Secret"), one("Namespace")])
    assert [[each["kind"] for each in group] for group in ordered] == [
        ["Namespace", "Secret"], ["Job"], ["Deployment"], ["Ingress"]]
    backend, job = one("StatefulSet", "store"), one("Job")
    job["metadata"]["annotations"] = {"devenv/needs": "store healthy, elsewhere healthy"}
    assert groups([job, one("Deployment"), backend]) == [[backend], [job], [one("Deployment")]]
    assert obsolete([one("Namespace"), one("Secret", "a"), one("Secret", "b")], [one("Secret", "b")]) == (
        one("Secret", "a"),)


def test_rollback_goes_to_the_deployed_release_before_the_current():
    first, second = a_release(1), a_release(2, identity="two")
    assert pick((second, first), None) == first
    assert pick((a_release(3, release.APPLYING, "three"), second, first), None) == second
    assert pick((second, first), 1) == first
    for releases, number in ((((second,)), None), ((second, first), 9), ((), None)):
        with pytest.raises(UsageError):
            pick(tuple(releases), number)


def test_a_record_gives_back_the_release_with_its_manifests():
    made = replace(a_release(7), images={"web": release.Image(ID, f"r/web@{ID}")}, objects=({"kind": "Service"},))
    assert release._decode(release._encode("shop", made)) == made
    assert "Service" not in json.dumps(made.summary())


def test_every_problem_of_an_environment_is_told_at_once(tmp_path):
    file = tmp_path / "devenv.toml"
    file.write_text('[environments.staging]\ncontext = 1\nconfirm = "no"\nfrom = "moon"\ncolour = "red"\n')
    with pytest.raises(UsageError) as refused:
        load_config(file)
    for text in ("staging.context` must be a text", "staging.cluster_uid` is missing", "staging.confirm`",
                 "staging.from`", "unknown key `environments.staging.colour`"):
        assert text in refused.value.message


def test_production_takes_stagings_release(tmp_path):
    file = tmp_path / "devenv.toml"
    file.write_text('[environments.staging]\ncontext = "s"\ncluster_uid = "1"\n'
                    '[environments.production]\ncontext = "p"\ncluster_uid = "2"\nfrom = "staging"\nconfirm = "type"\n')
    production = load_config(file).environments["production"]
    assert (production.source, production.overlay, production.confirm) == ("staging", "production", "type")


def test_kubectl_names_its_context_and_gives_up_on_a_server_that_hangs():
    kubectl = lease.Kubectl(Runner(), None, "staging", "shop", request_timeout_s=20)
    assert kubectl.argv("get", "pods") == ("kubectl", "--context", "staging", "--request-timeout=20s", "--namespace",
                                           "shop", "get", "pods")


def test_who_has_the_rights_of_the_guide_has_all_that_are_asked_for():
    given = {(group, one): set(verbs) for group, resources, verbs in [*people.RIGHTS, *people.CLUSTER_RIGHTS]
             for one in resources}
    for verbs, group, resource in [*preflight.RIGHTS, *preflight.RIGHTS_BY_COMMIT, *preflight._CLUSTER_RIGHTS]:
        assert given[group, resource] >= set(verbs), resource


def test_rights_that_are_lacking_are_named_where_they_are_to_be_given(tmp_path):
    def review(allowed, **attributes):
        return json.dumps({"kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": attributes},
                           "status": {"allowed": allowed}})

    said = (review(True, namespace="shop", verb="get", resource="pods")
            + review(False, namespace="shop", verb="patch", resource="leases")
            + review(False, verb="list", resource="nodes"))
    promotion = a_promotion(tmp_path, {"create --validate=ignore": said, "kube-system": "u", "get": '{"items": []}'})
    told, = preflight.of_cluster(promotion)
    assert "in namespace `shop`: patch leases (RBAC: bind a Role" in told
    assert "in the whole cluster: list nodes (RBAC: bind a ClusterRole" in told


class HeldLease:
    def check(self):
        """Still ours."""

    def release(self):
        self.released = True


def a_promotion(tmp_path, answers):
    (tmp_path / "compose.yaml").write_text("name: shop\nservices: {}\n")
    overlay = tmp_path / "k8s" / "overlays" / "staging"
    overlay.mkdir(parents=True)
    (overlay / "kustomization.yaml").write_text("namespace: shop\n")
    project = find(tmp_path)
    _ = project.checkout
    environment = Environment("staging", "c", "u", overlay="staging")
    made = Promotion(project, FakeRunner(answers), None, environment, Options(), lambda _: True)
    made.target, made.lease = a_release(1, release.APPLYING), HeldLease()
    return made


@pytest.mark.parametrize("failure", [DevenvError("it crashed"), OSError("disk full"), KeyboardInterrupt()])
def test_whatever_fails_after_the_first_change_goes_back(tmp_path, failure):
    promotion = a_promotion(tmp_path, {"get deployments": '{"items": []}'})

    def break_down(promotion):
        """Break down."""
        promotion.began = True
        raise failure

    with pytest.raises(RolledBackError) as ended:
        session._run(promotion, "promote", (break_down,))
    assert ended.value.exit_code == 4
    assert any("patch secret devenv-release-00001" in call for call in promotion.runner.calls)
    assert promotion.lease.released


def test_a_way_back_that_fails_is_told_and_exits_with_5(tmp_path):
    promotion = a_promotion(tmp_path, {"get deployments": 1})
    promotion.releases = (replace(a_release(0), objects=(deployment(),)),)
    promotion.runner.answers["get --ignore-not-found"] = 1

    def break_down(promotion):
        """Break down."""
        promotion.began = True
        raise DevenvError("it crashed")

    with pytest.raises(NotRolledBackError, match="it crashed\nand the way back failed too") as ended:
        session._run(promotion, "promote", (break_down,))
    assert ended.value.exit_code == 5


def test_a_failure_before_the_first_change_changes_nothing(tmp_path):
    promotion = a_promotion(tmp_path, {})

    def refuse(promotion):
        """Refuse."""
        raise CommandError(("terraform",), 1)

    with pytest.raises(CommandError):
        session._run(promotion, "promote", (refuse,))
    assert promotion.runner.calls == []


def external_secret(status, message="", generation=2, synced=2):
    return {"kind": "ExternalSecret", "metadata": {"name": "credentials", "generation": generation}, "status": {
        "syncedResourceVersion": f"{synced}-abc",
        "conditions": [{"type": "Ready", "status": status, "reason": "SecretSyncedError", "message": message}]}}


class Answers:
    """A cluster in which each look shows the next state, and the last one for ever."""

    namespace = "shop"

    def __init__(self, *states):
        self.states = list(states)

    def items(self, kinds, *_):
        if kinds == "events":
            return []
        return [self.states.pop(0) if len(self.states) > 1 else self.states[0]]


def test_pods_wait_until_their_logins_have_been_fetched_as_the_release_says():
    older, fresh = external_secret("True", synced=1), external_secret("True")
    cluster, paused = Answers(external_secret("False"), older, fresh), []
    fetched.fetched(cluster, [fresh], 60, clock=lambda: 0.0, pause=paused.append)
    assert len(paused) == 2
    fetched.fetched(cluster, [deployment()], 60)


@pytest.mark.parametrize(("state", "told"), [
    (external_secret("False", "no secret mongodb"), "SecretSyncedError: no secret mongodb"),
    (external_secret("", ""), "does the controller of External Secrets run"),
])
def test_a_login_that_cannot_be_fetched_ends_the_promotion_with_the_controllers_words(state, told):
    now = iter(range(0, 1000, 10))
    with pytest.raises(DevenvError, match=told) as failed:
        fetched.fetched(Answers(state), [state], 60, clock=lambda: float(next(now)), pause=lambda _: None)
    assert failed.value.hint == "kubectl --namespace shop describe externalsecret credentials"


def outputs(**environment):
    return {"dns": {"host": "h"}, "backends": {"store": {"environment": environment, "secret": None}},
            "cluster": {"region": "r", "roles": {}, "namespace": "shop", "ingress_node_port": 1}}


def manifests(**settings):
    return [{"kind": "ConfigMap", "metadata": {"name": "backends-abc1"}, "data": settings},
            {"kind": "Namespace", "metadata": {"name": "shop"}},
            {"kind": "Service", "metadata": {"name": "i"}, "spec": {"ports": [{"nodePort": 1}]}},
            {"kind": "Ingress", "metadata": {"name": "i"}, "spec": {"rules": [{"host": "h"}]}}]


def test_an_overlay_with_an_endpoint_that_terraform_does_not_put_out_is_refused():
    assert fit.problems(outputs(STORE="s:1"), manifests(STORE="x")) == []
    (problem,) = fit.problems(outputs(STORE="s:1"), manifests(STORE="x", CACHE="y"))
    assert problem.startswith("backends.env has `CACHE`, which is in no Terraform output: mend")


def test_terraform_that_cannot_tell_its_names_yet_or_has_other_outputs_is_not_judged():
    unknown = {**outputs(), "backends": {"store": {"environment": "(known after apply)", "secret": None}}}
    for said in ({}, {"registry_url": "r"}, unknown, {**outputs(), "cluster": "(known after apply)"}):
        assert fit.problems(said, manifests(CACHE="y")) == []
