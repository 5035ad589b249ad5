"""The chart's parts: holes, what is lifted, and the archive."""

import io
import json
import tarfile

import pytest
import yaml

from devenv.chart.archive import archive
from devenv.chart.files import About, files
from devenv.chart.holes import Hole, places, template, value_at
from devenv.chart.lift import lift
from devenv.chart.make import make, origin_of
from devenv.chart.references import image_parts
from devenv.errors import UsageError
from devenv.project import Project
from tests.unit.fakes import FakeRunner

ABOUT = About("shop", "1.0.0", "c0ffee", "live")


def pod(image="web", **rest):
    return {"spec": {"containers": [{"name": "one", "image": image, **rest}]}}


def deployment(name="web", image="web", namespace="shop", **rest):
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": namespace},
            "spec": {"template": pod(image), **rest}}


def ingress(name, *hosts):
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name},
            "spec": {"tls": [{"hosts": list(hosts), "secretName": "tls"}], "rules": [{"host": one} for one in hosts]}}


def values(*objects, services=("web",)):
    return lift(objects, services).values.data


@pytest.mark.parametrize(("path", "expression"), [
    (("hosts", "web"), ".Values.hosts.web"),
    (("images", "my-web", "tag"), '(index .Values.images "my-web").tag'),
    (("config", "1st"), '(index .Values.config "1st")'),
])
def test_a_value_is_read_by_an_expression_that_go_can_parse(path, expression):
    assert value_at(path) == expression


def test_what_is_no_hole_comes_out_of_the_template_as_it_is():
    text = template({"a": "{{ .theirs }}", "b": Hole(".Values.b"), "c": "it's: {{x}}", "d": "1\n2\n", "e": "yes"})
    assert "b: {{ .Values.b | toJson }}\n" in text
    through_helm = text.replace('{{ "{{" }}', "{{").replace("{{ .Values.b | toJson }}", '"3"')
    assert yaml.safe_load(through_helm) == {
        "a": "{{ .theirs }}", "b": "3", "c": "it's: {{x}}", "d": "1\n2\n", "e": "yes"}


def test_the_mark_of_a_hole_in_a_manifest_is_refused():
    with pytest.raises(UsageError, match="⟦"):
        template({"a": "⟦0⟧"})


def test_places_are_all_scalars_with_the_keys_that_lead_there():
    found = [trail for _, _, trail in places({"a": {"b": [1, {"c": 2}]}, "d": []})]
    assert found == [("a", "b", 0), ("a", "b", 1, "c")]


@pytest.mark.parametrize(("reference", "name", "tag", "digest"), [
    ("web", "web", "", ""), ("localhost:5001/a/web:1", "localhost:5001/a/web", "1", ""),
    ("r.io/web@sha256:ab", "r.io/web", "", "sha256:ab"), ("r.io/web:1@sha256:ab", "r.io/web", "1", "sha256:ab"),
])
def test_an_image_is_taken_apart_as_it_is_written(reference, name, tag, digest):
    parts = image_parts(reference)
    assert (parts.name, parts.tag, parts.digest) == (name, tag, digest)


def test_services_share_a_registry_and_others_keep_their_whole_names():
    found = values(deployment(image="r.io/shop/web:1"), deployment("db", "quay.io/db:2"))
    assert found["registry"] == "r.io/shop"
    assert found["images"] == {"web": {"repository": "web", "tag": "1", "digest": ""}}
    assert found["thirdParty"] == {"db": "quay.io/db:2"}


def test_services_from_two_registries_keep_them():
    found = values(deployment(image="r.io/web"), deployment("api", "q.io/api"), services=("web", "api"))
    assert found["registry"] == ""
    assert {name: one["repository"] for name, one in found["images"].items()} == {"web": "r.io/web", "api": "q.io/api"}


def test_only_the_overlays_own_namespace_becomes_the_releases():
    system = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
              "metadata": {"name": "reader", "namespace": "kube-system"},
              "subjects": [{"kind": "ServiceAccount", "name": "web", "namespace": "shop"}]}
    lifted = lift([deployment(), deployment("api"), system], ())
    own, _, binding = lifted.objects
    assert own["metadata"]["namespace"] == Hole(".Release.Namespace")
    assert binding["metadata"]["namespace"] == "kube-system"
    assert binding["subjects"][0]["namespace"] == Hole(".Release.Namespace")


def test_only_a_generated_config_map_becomes_values():
    own = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "own"}, "data": {"A": "1"}}
    generated = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "made-6m27dc8tmg"}, "data": {"A": "<&>"}}
    assert values(own) == {}
    assert values(own, generated) == {"config": {"made": {"A": "<&>"}}}


def test_a_secret_is_named_by_value_and_its_content_is_left_out():
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "data": {"K": "Y2FuYXJ5"}}
    reader = deployment()
    reader["spec"]["template"]["spec"]["containers"][0]["env"] = [
        {"name": "K", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "K", "optional": True}}}]
    lifted = lift([secret, reader], ["web"])
    assert lifted.dropped == ["keys"]
    packed = files(ABOUT, lifted)
    assert not [path for path, text in packed.items() if "Y2FuYXJ5" in text]
    assert "keys: K (optional)" in packed["values.yaml"] and "keys" in packed["templates/NOTES.txt"]


def test_every_host_is_a_value_of_its_own_wherever_it_is_named():
    found = values(ingress("web", "a.io", "b.io"), ingress("api", "a.io"))
    assert found["hosts"] == {"web": "a.io", "web-2": "b.io"}


def test_pods_are_counted_by_the_autoscaler_or_by_the_deployment():
    scaler = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"},
              "spec": {"minReplicas": 2, "maxReplicas": 4}}
    found = values(scaler, deployment("db", replicas=1))
    assert found["replicas"] == {"web": {"min": 2, "max": 4}, "db": {"count": 1}}


def test_kinds_of_other_controllers_can_be_switched_off():
    other = {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": "web"},
             "spec": {"secretName": "web-tls"}}
    lifted = lift([deployment(), other], ["web"])
    assert lifted.values.data["customResources"] == {"Certificate": True}
    assert lifted.values.data["secrets"] == {"web-tls": "web-tls"}
    packed = files(ABOUT, lifted)
    assert packed["templates/certificate-web.yaml"].startswith("{{- if .Values.customResources.Certificate }}\n")
    assert not packed["templates/deployment-web.yaml"].startswith("{{- if")


def test_a_job_is_named_by_the_hash_of_what_it_does():
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "prepare"}, "spec": {"template": pod()}}
    text = files(ABOUT, lift([job], ["web"]))["templates/job-prepare.yaml"]
    assert 'name: {{ include "job" (list . "prepare") | toJson }}' in text
    assert text.index('define "job-prepare"') < text.index("image:") < text.index("kind: Job")


def test_two_objects_of_one_name_have_a_file_each():
    packed = files(ABOUT, lift([deployment(namespace="a"), deployment(namespace="b")], ()))
    assert {"templates/deployment-web.yaml", "templates/deployment-web-2.yaml"} <= packed.keys()


def test_the_schema_knows_every_value_and_no_other():
    lifted = lift([deployment(image="r.io/web:1"), ingress("web", "a.io")], ["web"])
    schema = json.loads(lifted.values.schema_text())

    def check(rules, data):
        assert rules["type"] == {dict: "object", str: "string", bool: "boolean", int: "integer"}[type(data)]
        for name in data if "properties" in rules else ():
            check(rules["properties"][name], data[name])

    check(schema, lifted.values.data)
    assert schema["additionalProperties"] is False
    assert schema["properties"].keys() - lifted.values.data.keys() == {"global"}


def test_the_archive_has_the_same_bytes_for_the_same_files():
    packed = archive("shop", {"values.yaml": "a: 1\n", "Chart.yaml": "name: shop\n"}, 1_700_000_000)
    assert packed == archive("shop", {"Chart.yaml": "name: shop\n", "values.yaml": "a: 1\n"}, 1_700_000_000)
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        assert tar.getnames() == ["shop/Chart.yaml", "shop/values.yaml"]
        assert {(one.mtime, one.uid, one.mode) for one in tar} == {(1_700_000_000, 0, 0o644)}


@pytest.fixture
def project(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / "compose.yaml").write_text("name: shop\nservices: {}\n")
    (tmp_path / "k8s" / "overlays" / "live").mkdir(parents=True)
    (tmp_path / "k8s" / "overlays" / "live" / "kustomization.yaml").write_text("resources: []\n")
    return Project(tmp_path, tmp_path / "compose.yaml")


def packed(project, tmp_path, edited="", **rest):
    runner = FakeRunner({
        "rev-parse --verify": "c0ffee0000111122223333\n", "rev-parse --show-toplevel": f"{project.root}\n",
        "git show": "1700000000\n", "git diff": edited,
        "docker compose": "name: shop\nservices: {web: {image: web, build: .}}\n",
        "kubectl kustomize": yaml.safe_dump(deployment(image="r.io/web@sha256:" + "0" * 64)),
    })
    usual = {"overlay": "live", "output": tmp_path / "out", "version": None, "images": {}}
    return make(project, runner, **{**usual, **rest})


def test_a_chart_is_named_after_the_project_and_the_commit(project, tmp_path):
    chart = packed(project, tmp_path)
    assert chart.path == tmp_path / "out" / "shop-0.0.0-gc0ffee000011.tgz"
    assert chart.about.commit == "c0ffee0000111122223333"
    assert chart.notes == ("no image has the digest that the overlay names for web: give --image, or values",)


def test_uncommitted_changes_are_told_and_show_in_the_version(project, tmp_path):
    chart = packed(project, tmp_path, edited="compose.yaml\0", images={"web": "q.io/x/web:2"})
    assert chart.about.version.endswith("-dirty") and chart.about.commit.endswith("-dirty")
    assert len(chart.notes) == 1 and "not committed" in chart.notes[0]


@pytest.mark.parametrize(("rest", "message", "hint"), [
    ({"overlay": "life"}, "no overlay is named `life`", "did you mean `live`?"),
    ({"version": "v1"}, "`v1` is no version", "three numbers"),
    ({"images": {"wep": "q.io/wep"}}, "a service named `wep`", "did you mean `web`?"),
])
def test_a_wrong_request_is_told_with_the_next_move(project, tmp_path, rest, message, hint):
    with pytest.raises(UsageError, match=message) as caught:
        packed(project, tmp_path, **rest)
    assert hint in caught.value.hint
    assert not (tmp_path / "out").exists()


def test_outside_of_a_repository_there_is_no_chart(project):
    with pytest.raises(UsageError, match="no commit"):
        origin_of(project, FakeRunner({"git rev-parse": 1}))
