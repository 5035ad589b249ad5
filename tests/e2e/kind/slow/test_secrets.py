"""External Secrets for real: its controller, the overlay's own manifests, and a mocked AWS that holds the logins."""

import base64
import json
import subprocess
import time

import boto3
import pytest
import yaml

from devenv.doctor.programs import use_folder
from devenv.engine import Engine
from devenv.images.contents import definitions
from devenv.images.resolve import resolve
from devenv.project import find
from devenv.runtimes.kind.cluster import Cluster
from devenv.runtimes.kind.registry import Registry
from devenv.shell import Runner
from devenv.terraform import mock
from tests.e2e.checkout import ROOT

CONTROLLER = "ghcr.io/external-secrets/external-secrets:v1.3.2"
WANTED = ("Role", "RoleBinding", "SecretStore", "ExternalSecret")


def kustomize(folder):
    argv = ["kubectl", "kustomize", str(ROOT / "k8s" / folder)]
    text = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True).stdout
    return list(yaml.safe_load_all(text))


@pytest.fixture(scope="module")
def images(cluster):
    logs = cluster.root / ".devenv" / "logs"
    return resolve([CONTROLLER, mock.IMAGE], engine=Engine(), runner=Runner(), offline=False, logs=logs)


@pytest.fixture(scope="module")
def aws(cluster, images):
    """A client of Secrets Manager in a mocked AWS on the cluster's network."""
    container = mock.Mock(f"{cluster.name}-aws", Engine())
    try:
        endpoint = container.start(images[mock.IMAGE].reference, "kind", {"devenv.project": cluster.name})
        yield boto3.client("secretsmanager", region_name="eu-central-1", endpoint_url=endpoint,
                           aws_access_key_id="test", aws_secret_access_key="test")
    finally:
        container.delete()


@pytest.fixture(scope="module")
def controller(cluster, images, aws):
    """The add-on as a rehearsal has it, and of the staging overlay what concerns secrets."""
    use_folder()
    project = find(cluster.root)
    ours = Cluster(project, Runner())
    registry = Registry(ours, Engine(), Runner())
    registry.push([(images[CONTROLLER].reference, registry.mirrored(CONTROLLER))])
    alias = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "aws", "namespace": "external-secrets"},
             "spec": {"type": "ExternalName", "externalName": f"{cluster.name}-aws"}}
    addon = [*kustomize("addons/external-secrets/rehearsal"), alias]
    overlay = [one for one in kustomize("overlays/staging") if one["kind"] in WANTED]
    crds = definitions(images[CONTROLLER].reference, Runner())
    kubectl = ours.kubectl()
    try:
        kubectl.apply(crds)
        kubectl.read("wait", "--for=condition=Established", "--timeout=60s", "--filename", "-", stdin=crds)
        kubectl.apply(yaml.safe_dump_all([*addon, *overlay]))
        yield kubectl
    finally:
        everything = yaml.safe_dump_all([*overlay, *addon])
        kubectl.read("delete", "--ignore-not-found", "--filename", "-", stdin=everything, timeout_s=180)
        kubectl.read("delete", "--ignore-not-found", "--filename", "-", stdin=crds, timeout_s=180)


def until(probe, wanted, deadline_s=120):
    end = time.monotonic() + deadline_s
    while (seen := probe()) != wanted:
        assert time.monotonic() < end, f"{seen!r} is not {wanted!r} after {deadline_s} s"
        time.sleep(0.5)


def login(cluster):
    """The Secret that pods read, decoded."""
    text = cluster.kubectl("get", "secret", "credentials", "--ignore-not-found", "-o", "json")
    data = json.loads(text)["data"] if text else {}
    return {name: base64.b64decode(value).decode() for name, value in data.items()}


def test_logins_come_from_secrets_manager_and_a_new_password_follows(cluster, controller, aws):
    for backend in ("mongodb", "kafka", "redis"):
        secret = json.dumps({"username": "caas", "password": f"one/{backend}"})
        aws.create_secret(Name=f"AmazonMSK_caas/staging/{backend}", SecretString=secret)
    first = {"MONGODB_PASSWORD": "one%2Fmongodb", "KAFKA_PASSWORD": "one/kafka", "REDIS_PASSWORD": "one/redis"}
    until(lambda: login(cluster), first)

    renewed = json.dumps({"username": "caas", "password": "two"})
    aws.put_secret_value(SecretId="AmazonMSK_caas/staging/redis", SecretString=renewed)
    cluster.kubectl("annotate", "externalsecret", "credentials", f"force-sync={time.time()}", "--overwrite")
    until(lambda: login(cluster), {**first, "REDIS_PASSWORD": "two"})


def test_the_controller_may_read_secrets_of_its_one_namespace_only(cluster, controller):
    def may(verb, kind, namespace):
        account = "system:serviceaccount:external-secrets:external-secrets"
        return cluster.kubectl("auth", "can-i", verb, kind, "--namespace", namespace, "--as", account, check=False)

    assert may("get", "secrets", "caas") == "yes"
    assert [may("get", "secrets", other) for other in ("default", "kube-system", "external-secrets")] == ["no"] * 3


def test_a_secret_that_is_not_there_is_named(cluster, controller, aws):
    aws.delete_secret(SecretId="AmazonMSK_caas/staging/kafka", ForceDeleteWithoutRecovery=True)
    cluster.kubectl("annotate", "externalsecret", "credentials", f"force-sync={time.time()}", "--overwrite")
    path = "jsonpath={.status.conditions[0].reason}"
    until(lambda: cluster.kubectl("get", "externalsecret", "credentials", "-o", path), "SecretSyncedError")
    events = cluster.kubectl("get", "events", "--field-selector", "involvedObject.kind=ExternalSecret", "-o",
                             "jsonpath={.items[*].message}")
    assert "kafka" in events
    assert login(cluster)["KAFKA_PASSWORD"] == "one/kafka", "the last good login was taken away"
