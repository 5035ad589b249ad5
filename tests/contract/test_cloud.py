"""Terraform's outputs and the overlays that use them: the same names on both sides, offline.

terraform/tests/outputs/ENVIRONMENT.json says what an environment puts out; `terraform test` proves that the modules do,
and `devenv.terraform.contract` compares it with the overlay.
"""

import json
import re
from pathlib import Path

import pytest
import yaml

from devenv.terraform import contract, rehearsal
from devenv.terraform.outputs import backends_env
from tests.contract.test_manifests import validate

ROOT = Path(__file__).parents[2]
K8S = ROOT / "k8s"
ENVIRONMENTS = ("staging", "production")
TERRAFORM = ROOT / "terraform"
# As a cluster on AWS has them.
ADDONS = ("addons/external-secrets/aws", "addons/ingress-nginx/aws")


def outputs_of(environment):
    """The declared outputs, with the account's own values from its tfvars."""
    outputs = json.loads((TERRAFORM / "tests" / "outputs" / f"{environment}.json").read_text())
    own = dict(re.findall(r'^(\w+) += "(.*)"$', (TERRAFORM / "envs" / environment / "terraform.tfvars").read_text(),
                          re.MULTILINE))
    outputs["cluster"]["region"] = own["region"]
    outputs["dns"]["host"] = own["host"]
    return outputs


@pytest.fixture(scope="session")
def objects_of(render):
    """A function from an environment to the objects of its overlay and of its cluster's add-ons."""
    return lambda environment: [one for folder in (f"overlays/{environment}", *ADDONS) for one in render(folder)[1]]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_terraform_and_the_overlay_say_the_same_names(objects_of, environment):
    assert contract.problems(outputs_of(environment), objects_of(environment)) == ()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_example_in_the_overlay_has_the_keys_and_forms_that_promotion_writes(environment):
    lines = (K8S / "overlays" / environment / "backends.env").read_text().splitlines()[1:]
    example = dict(line.split("=", 1) for line in lines)
    written = backends_env(outputs_of(environment))
    assert example.keys() == written.keys()
    endpoints = {"MONGODB_ADDRESS", "KAFKA_BOOTSTRAP_SERVERS", "REDIS_URL", "S3_BUCKET_PREFIX", "S3_REGION"}
    assert {key: example[key] for key in example.keys() - endpoints} == {
        key: written[key] for key in written.keys() - endpoints}


def test_the_declared_outputs_are_those_of_the_modules():
    """At once, and by name only; `terraform test` compares the values."""
    said = (TERRAFORM / "modules" / "platform" / "outputs.tf").read_text()
    for environment in ENVIRONMENTS:
        outputs = outputs_of(environment)
        assert re.findall(r'^output "(\w+)"', said, re.MULTILINE) == ["cluster", "registry_url", "backends", "dns"]
        assert set(re.findall(r"^ +([A-Z][A-Z0-9_]+) += ", said, re.MULTILINE)) == set(backends_env(outputs))
        main = (TERRAFORM / "envs" / environment / "main.tf").read_text()
        (name,) = re.findall(r'^ +name += "(AmazonMSK_.*)"$', main, re.MULTILINE)
        for backend, one in outputs["backends"].items():
            made = name.replace("${var.project}", "caas").replace("${local.environment}", environment)
            assert one["secret"] in (None, made.replace("${backend}", backend))


def test_the_pods_find_the_load_balancers_port_and_nothing_else(render):
    (service,) = [one for one in render("addons/ingress-nginx/aws")[1] if one["kind"] == "Service"]
    assert [(port["name"], port["nodePort"]) for port in service["spec"]["ports"]] == [("https", 30443)]


def rehearsed(environment):
    """The outputs of a rehearsal: the same ones, with what the cluster has in place of the cloud's backends."""
    file, names = rehearsal.stand_ins(TERRAFORM)
    settings = dict(line.split("=", 1) for line in (ROOT / file).read_text().splitlines())
    backends = {name: {"environment": one, "secret": f"AmazonMSK_caas/{environment}/{name}"}
                for name, one in rehearsal.by_backend(settings, names).items()}
    outputs = outputs_of(environment)
    return {**outputs, "backends": backends, "dns": {**outputs["dns"], "host": "localhost"}}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_rehearsal_says_the_same_names_too(k8s, render, environment):
    trial = k8s / f"rehearsal-{environment}"
    trial.mkdir()
    settings = [f"{key}={value}" for key, value in backends_env(rehearsed(environment)).items()]
    (trial / "kustomization.yaml").write_text(yaml.safe_dump({
        "namespace": "caas", "resources": [f"../overlays/{environment}"], "components": ["../components/stand-ins"],
        "configMapGenerator": [{"name": "backends", "behavior": "replace", "literals": settings}]}))
    text, objects = render(trial.name)
    assert validate(text).returncode == 0
    addons = [one for folder in ("addons/external-secrets/rehearsal", "addons/ingress-nginx/local")
              for one in render(folder)[1]]
    assert contract.problems(rehearsed(environment), [*objects, *addons]) == ()
    assert {one["metadata"]["name"] for one in objects if one["kind"] == "StatefulSet"} == {
        "kafka", "minio", "mongodb", "redis"}


def drop(outputs, *path):
    *above, last = path
    for key in above:
        outputs = outputs[key]
    del outputs[last]


def put(outputs, value, *path):
    *above, last = path
    for key in above:
        outputs = outputs[key]
    outputs[last] = value


@pytest.mark.parametrize(("change", "seen"), [
    (lambda o: drop(o, "backends", "redis"), "backends.env has `REDIS_URL`, which is in no Terraform output"),
    (lambda o: drop(o, "backends", "kafka", "environment", "KAFKA_USERNAME"), "backends.env has `KAFKA_USERNAME`"),
    (lambda o: put(o, "x", "backends", "minio", "environment", "S3_KEY"), "`S3_KEY`, which backends.env lacks"),
    (lambda o: put(o, "AmazonMSK_caas/staging/cache", "backends", "redis", "secret"),
     "wants the secret `AmazonMSK_caas/staging/redis`, which is in no Terraform output"),
    (lambda o: put(o, "AmazonMSK_caas/staging/cache", "backends", "redis", "secret"),
     "has the secret `AmazonMSK_caas/staging/cache`, which no ExternalSecret fetches"),
    (lambda o: drop(o, "cluster", "roles", "billing"), "its ServiceAccount `billing` has no role"),
    (lambda o: put(o, "r", "cluster", "roles", "reports"), "has `reports`, and no ServiceAccount has that name"),
    (lambda o: put(o, "api.example.net", "dns", "host"), "and the DNS name is api.example.net"),
    (lambda o: put(o, "us-east-1", "cluster", "region"), "the environment is in us-east-1"),
    (lambda o: put(o, "other", "cluster", "namespace"), "the namespace `other`, which the overlay does not have"),
    (lambda o: put(o, 31443, "cluster", "ingress_node_port"), "NodePort 31443, which no Service has"),
    (lambda o: put(o, "k-1.mock:9098,k-2.mock:9098", "backends", "kafka", "environment", "KAFKA_BOOTSTRAP_SERVERS"),
     "`kafka` listens on port 9098, which no NetworkPolicy opens"),
    (lambda o: put(o, "m.mock:27017/?tlsCAFile=/etc/pki/ca", "backends", "mongodb", "environment", "MONGODB_ADDRESS"),
     "names the file /etc/pki/ca, and nothing is mounted there in `messaging`"),
])
def test_a_name_that_only_one_side_knows_is_found(objects_of, change, seen):
    outputs = outputs_of("staging")
    change(outputs)
    found = contract.problems(outputs, objects_of("staging"))
    assert any(seen in problem for problem in found), found


@pytest.mark.parametrize(("before", "after", "seen"), [
    ("key: mongodb", "key: mongo", "wants the secret `AmazonMSK_caas/staging/mongo`, which is in no Terraform output"),
    ("prefix: AmazonMSK_caas/staging/", "prefix: AmazonMSK_caas/production/", "`AmazonMSK_caas/production/kafka`"),
    ("name: secrets-manager\n  target", "name: vault\n  target", "wants the store `vault`, which is nowhere"),
    ("mountPath: /etc/ssl/rds", "mountPath: /etc/ssl/aws", "nothing is mounted there"),
])
def test_a_name_that_only_the_overlay_knows_is_found(render, objects_of, before, after, seen):
    text = render("overlays/staging")[0]
    assert before in text
    changed = [one for one in yaml.load_all(text.replace(before, after), Loader=yaml.CSafeLoader) if one]
    rest = objects_of("staging")[len(changed):]
    found = contract.problems(outputs_of("staging"), [*changed, *rest])
    assert any(seen in problem for problem in found), found
