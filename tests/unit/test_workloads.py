import json

import pytest

from devenv.errors import DevenvError
from devenv.kubernetes import workloads
from devenv.kubernetes.kubectl import Kubectl
from tests.unit.fakes import FakeRunner


def deployment(name="web", *, replicas=1, ready=1, updated=1, total=1, generation=1, observed=1):
    return {"kind": "Deployment", "metadata": {"name": name, "generation": generation},
            "spec": {"replicas": replicas, "template": {"metadata": {"labels": {workloads.NAME_LABEL: name}}}},
            "status": {"readyReplicas": ready, "updatedReplicas": updated, "replicas": total,
                       "observedGeneration": observed}}


def job(*conditions):
    return {"kind": "Job", "metadata": {"name": "init"}, "spec": {"template": {"metadata": {}}},
            "status": {"conditions": [{"type": one, "status": "True"} for one in conditions]}}


def pod(name="web", **state):
    return {"kind": "Pod", "metadata": {"name": f"{name}-1", "labels": {workloads.NAME_LABEL: name}},
            "status": {"containerStatuses": [state] if state else []}}


def kubectl(tmp_path, *items):
    return Kubectl(FakeRunner({"get deployments": json.dumps({"items": list(items)}),
                               "get events": json.dumps({"items": []})}), tmp_path, "c", "n")


@pytest.mark.parametrize(("one", "condition"), [
    (deployment(), "usable"),
    (deployment(ready=0), "starting"),
    (deployment(updated=0), "starting"),
    (deployment(observed=0), "starting"),
    (deployment(total=2), "starting"),
    (job(), "starting"), (job("Complete"), "done"), (job("Failed"), "failed"),
])
def test_a_rollout_is_done_when_only_new_and_ready_pods_are_left(tmp_path, one, condition):
    assert workloads.observe(kubectl(tmp_path, one))[0].condition == condition


def waiting(reason, name="web", **more):
    return pod(name, state={"waiting": {"reason": reason, "message": "m"}}, **more)


@pytest.mark.parametrize(("broken", "patient", "said"), [
    (waiting("CreateContainerConfigError"), False, "CreateContainerConfigError"),
    (waiting("ImagePullBackOff"), True, "ImagePullBackOff"),
    (waiting("ImagePullBackOff"), False, None),
    (waiting("CrashLoopBackOff", restartCount=4), False, "keeps crashing"),
    (waiting("CrashLoopBackOff", restartCount=1), True, None),
    (waiting("ContainerCreating"), True, None),
])
def test_reasons_that_time_does_not_mend_end_the_waiting(tmp_path, broken, patient, said):
    seen = workloads.observe(kubectl(tmp_path, deployment(ready=0), broken))[0]
    found = workloads.hopeless(seen, patient)
    assert (found is None) == (said is None) and (said is None or said in found)


def test_what_is_waited_for_in_vain_is_named_with_its_words(tmp_path):
    runner = FakeRunner({
        "get deployments": json.dumps({"items": [deployment(ready=0), waiting("InvalidImageName")]}),
        "get events": json.dumps({"items": [{"reason": "Failed", "message": "bad name"}]}),
        "logs web-1": "last words\n",
    })
    with pytest.raises(DevenvError, match="`web` .Deployment. is not usable: InvalidImageName") as failure:
        workloads.wait(Kubectl(runner, tmp_path, "c", "n"), 5)
    assert failure.value.details["evidence"] == ["event: Failed: bad name", "log: last words"]


def test_only_what_is_named_is_waited_for(tmp_path):
    ready = []
    workloads.wait(kubectl(tmp_path, deployment(), deployment("other", ready=0)), 5, ready.append, only=["web"])
    assert ready == ["web"]


def test_of_two_that_will_never_be_usable_the_one_that_the_other_needs_is_named(tmp_path):
    web, database = deployment("a-web", ready=0), deployment("database", ready=0)
    web["metadata"]["annotations"] = {workloads.NEEDS: "database healthy, init completed"}
    broken = waiting("InvalidImageName"), waiting("InvalidImageName", name="database")
    broken[0]["metadata"]["labels"][workloads.NAME_LABEL] = "a-web"
    with pytest.raises(DevenvError, match="`database` .Deployment. is not usable"):
        workloads.wait(kubectl(tmp_path, web, database, *broken), 5)


@pytest.mark.parametrize(("started", "leaving", "condition"), [
    ("2026-11-25T07:24:20Z", False, "starting"), ("2026-11-25T07:24:21Z", False, "usable"),
    ("2026-11-25T07:24:20Z", True, "usable"),
])
def test_what_a_pod_said_before_the_node_started_counts_for_nothing(tmp_path, started, leaving, condition):
    one = pod(state={"running": {"startedAt": started}})
    one["metadata"] |= {"deletionTimestamp": "2026-11-25T07:25:00Z"} if leaving else {}
    seen = workloads.observe(kubectl(tmp_path, deployment(), one), since="2026-11-25T07:24:21Z")
    assert seen[0].condition == condition
