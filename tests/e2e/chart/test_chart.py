"""The chart in a cluster: installed, serving, upgraded, rolled back, and gone."""

import asyncio

import httpx

from tests.e2e.chart.conftest import NAMESPACE, URL
from tests.e2e.flow import whole_flow
from tests.e2e.load import under_load


def names(cluster, kind):
    return {one["metadata"]["name"] for one in cluster.objects(kind)}


def pods(cluster, component="service"):
    """Name of a workload -> the pods of it that are there to stay."""
    found = {}
    for one in cluster.objects("pods", "--selector", f"app.kubernetes.io/component={component}"):
        if "deletionTimestamp" not in one["metadata"]:
            found.setdefault(one["metadata"]["labels"]["app.kubernetes.io/name"], set()).add(one["metadata"]["uid"])
    return found


def revisions(cluster):
    """Name of a Deployment -> how often it was rolled; the number of its pods is the autoscaler's."""
    return {one["metadata"]["name"]: one["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
            for one in cluster.objects("deployments")}


def settings(cluster):
    """What each Deployment reads first: the ConfigMap's name, and the level of the logs in it."""
    (name,) = {one["spec"]["template"]["spec"]["containers"][0]["envFrom"][0]["configMapRef"]["name"]
               for one in cluster.objects("deployments")}
    return name, cluster.kubectl("get", "configmap", name, "--output", "jsonpath={.data.LOG_LEVEL}")


async def test_the_platform_that_helm_installed_serves_its_whole_flow(client):
    await whole_flow(client)


def test_its_namespace_enforces_restricted_pods_and_its_images_are_the_pushed_ones(cluster, released):
    (namespace,) = cluster.objects("namespace", "--field-selector", f"metadata.name={NAMESPACE}")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for one in cluster.objects("deployments"):
        assert one["spec"]["template"]["spec"]["containers"][0]["image"] == cluster.pushed(one["metadata"]["name"])


async def test_a_changed_value_rolls_the_pods_that_read_it_and_no_others_and_loses_no_request(
        cluster, chart, released, client):
    before, kept = pods(cluster), settings(cluster)
    others, jobs = pods(cluster, "backend"), names(cluster, "jobs")
    options = {"limit_s": 480, "verify": cluster.trust(), "headers": client.http.headers}
    async with (
        under_load(f"{URL}/healthz", rate=15, **options) as front,
        under_load(f"{URL}/v1/conversations?limit=1", rate=5, **options) as through,
    ):
        await asyncio.to_thread(cluster.helm, "upgrade", "caas", chart, *released, "--set",
                                "config.settings.LOG_LEVEL=debug", "--wait", "--wait-for-jobs", "--timeout", "8m")
    told = "".join(f"{load.url}: {dict(load.outcomes)}, {load.failed}\n" for load in (front, through))
    assert not front.failed and not through.failed, told
    after = pods(cluster)
    assert after.keys() == before.keys() and not any(after[name] & before[name] for name in after)
    assert settings(cluster)[0] != kept[0] and settings(cluster)[1] == "debug"
    assert pods(cluster, "backend") == others
    (again,) = names(cluster, "jobs")
    assert again.startswith("init-") and again not in jobs, "the Job that reads the value did not run again"
    answer = httpx.get(f"{URL}/readyz", verify=cluster.trust(), timeout=15)
    assert answer.status_code == 200, answer.text


def test_an_upgrade_that_changes_nothing_restarts_nothing(cluster, chart, released):
    before = revisions(cluster), pods(cluster, "backend")
    cluster.helm("upgrade", "caas", chart, *released, "--set", "config.settings.LOG_LEVEL=debug", "--wait")
    assert (revisions(cluster), pods(cluster, "backend")) == before


def test_a_rollback_brings_the_last_values_back(cluster, released):
    before = pods(cluster)
    cluster.helm("rollback", "caas", "1", "--wait", "--timeout", "8m")
    assert settings(cluster)[1] == "info"
    after = pods(cluster)
    assert after.keys() == before.keys() and not any(after[name] & before[name] for name in after)


def test_an_uninstalled_release_leaves_secrets_and_data_and_nothing_else(cluster, released):
    cluster.helm("uninstall", "caas", "--wait", "--timeout", "3m")
    cluster.kubectl("wait", "pods", "--all", "--for=delete", "--timeout=120s")
    left = cluster.kubectl("get", "all,configmaps,ingresses,networkpolicies,secrets,pvc,hpa,pdb", "--output", "name")
    kinds = {line.partition("/")[0] for line in left.splitlines() if line != "configmap/kube-root-ca.crt"}
    assert kinds == {"secret", "persistentvolumeclaim"}, left
