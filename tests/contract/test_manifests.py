"""The Kubernetes manifests: what every overlay must have, whatever else it says."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from devenv.images import recipes

ROOT = Path(__file__).parents[2]
K8S = ROOT / "k8s"
OVERLAYS = ("local", "staging", "production")
ENVIRONMENTS = ("staging", "production")
ADDONS = sorted(str(path.parent.relative_to(K8S)) for path in K8S.glob("addons/*/*/kustomization.yaml"))
COMPOSE = yaml.safe_load((ROOT / "compose" / "services.yml").read_text())["services"]
BACKENDS = sorted(yaml.safe_load((ROOT / "compose" / "backends.yml").read_text())["services"])
SERVICES = sorted(name for name, one in COMPOSE.items() if not one["healthcheck"].get("disable"))
WORKLOADS = ("CronJob", "Deployment", "Job", "StatefulSet")
ADDONS = sorted(str(file.parent.relative_to(K8S)) for file in K8S.glob("addons/*/*/kustomization.yaml"))
OURS = sorted(path for path in K8S.rglob("*.yaml") if "addons" not in path.parts)
# Custom resources, whose definitions come with their controllers.
CUSTOM = "Gateway,HTTPRoute"

# Findings of kube-score that are meant.
SCORE_WAIVED = {
    "deployment-has-host-podantiaffinity": "topologySpreadConstraints do it, by zone too, and block no rollout",
}
# Of add-ons, beyond those.
ADDON_SCORE_WAIVED = {
    "container-image-pull-policy": "tags of releases do not move, and a node that starts again needs no registry",
    "container-security-context-user-group-id": "F5's image is made for its user 101",
    "service-type": "kind's node has no load balancer, and the one in AWS is Terraform's: both lead to NodePorts",
}
# And of Argo CD.
ARGOCD_SCORE_WAIVED = {
    "deployment-has-poddisruptionbudget": "while one of its pods is replaced, commits wait and nothing else does",
    "deployment-replicas": "the same",
    "pod-probes": "most of its components have no check that tells a hung one from a busy one",
}
# And on this machine.
LOCAL_SCORE_WAIVED = {
    "container-image-pull-policy": "a node that starts again needs no registry, and `kind load` is enough",
    "container-image-tag": "devenv and Tilt set the tag; by hand it is whatever was loaded",
    "container-security-context-readonlyrootfilesystem": "upstream's images of backends write beside their volumes",
    "container-security-context-user-group-id": "upstream's images of backends have users below 10000",
    "deployment-replicas": "one node gains nothing from a second",
    "horizontalpodautoscaler-replicas": "one node gains nothing from a second",
}


def program(name):
    """A program on PATH, or one that devenv has built into the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "devenv", "bin")
    found = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *map(str, cache.glob("*"))]))
    assert found, f"`{name}` is not installed: run `devenv doctor --fix`"
    return found


def run(*argv, **options):
    words = [str(word) for word in argv]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, **options)


def pods(objects):
    """(name, pod specification) of each workload."""
    for one in objects:
        if one["kind"] in WORKLOADS:
            spec = one["spec"]["jobTemplate"]["spec"] if one["kind"] == "CronJob" else one["spec"]
            yield one["metadata"]["name"], spec["template"]["spec"]


def validate(text):
    location = "tests/contract/schemas/{{.ResourceKind}}{{.KindSuffix}}.json"
    return run(program("kubeconform"), "-strict", "-summary", "-skip", CUSTOM, "-schema-location", location,
               cwd=ROOT, input=text)


@pytest.mark.parametrize("directory", [*(f"overlays/{name}" for name in OVERLAYS), "reload", "sync", *ADDONS])
def test_what_is_rendered_is_valid(render, directory):
    done = validate(render(directory)[0])
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Valid: [1-9]", done.stdout)


def test_the_schemas_refuse_a_field_that_nobody_defined(render):
    done = validate(render("overlays/staging")[0].replace("readinessProbe:", "readynessProbe:"))
    assert done.returncode != 0
    assert "readynessProbe" in done.stdout


def test_the_gateway_api_can_take_the_place_of_the_ingress(k8s, render):
    trial = k8s / "trial"
    trial.mkdir()
    (trial / "kustomization.yaml").write_text("resources: [../base]\ncomponents: [../components/gateway-api]\n")
    text, objects = render("trial")
    assert validate(text).returncode == 0, validate(text).stdout
    kinds = {one["kind"] for one in objects}
    assert {"Gateway", "HTTPRoute"} <= kinds
    assert "Ingress" not in kinds


def score(text):
    """(object, check, grade) for each finding of kube-score: 1 is critical, 5 is a warning."""
    done = run(program("kube-score"), "score", "--output-format", "json", "-", input=text)
    return {(one["object_name"], check["check"]["id"], check["grade"]) for one in json.loads(done.stdout)
            for check in one["checks"] if check["grade"] < 10 and not check["skipped"]}


@pytest.mark.parametrize("directory", [*(f"overlays/{name}" for name in OVERLAYS), *ADDONS])
def test_kube_score_finds_nothing_that_has_no_reason(render, directory):
    findings = {check for _, check, _ in score(render(directory)[0])}
    waived = SCORE_WAIVED | (LOCAL_SCORE_WAIVED if directory.endswith("/local") else {})
    waived |= ADDON_SCORE_WAIVED if directory in ADDONS else {}
    waived |= ARGOCD_SCORE_WAIVED if "argocd" in directory else {}
    assert findings <= waived.keys()


@pytest.mark.parametrize("directory", ADDONS)
def test_every_pod_of_an_addon_is_restricted(render, directory):
    objects = render(directory)[1]
    for one in objects:
        if one["kind"] == "Namespace":
            assert one["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for name, pod in pods(objects):
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False, name
            assert context["capabilities"]["drop"] == ["ALL"], name
            assert set(context["capabilities"].get("add", ())) <= {"NET_BIND_SERVICE"}, name


def test_kube_score_would_find_a_writable_root_file_system(render):
    text = render("overlays/staging")[0].replace("readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false")
    assert ("Deployment/apps/v1/caas/gateway", "container-security-context-readonlyrootfilesystem", 1) in score(text)


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_namespace_enforces_restricted_pods_and_every_object_is_in_it(render, name):
    _, objects = render(f"overlays/{name}")
    (namespace,) = [one for one in objects if one["kind"] == "Namespace"]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    others = {one["metadata"].get("namespace") for one in objects if one["kind"] != "Namespace"}
    assert others == {namespace["metadata"]["name"]}


@pytest.mark.parametrize("directory", [*(f"overlays/{name}" for name in OVERLAYS), "reload", "sync"])
def test_every_pod_is_restricted_and_limited(render, directory):
    for name, pod in pods(render(directory)[1]):
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["enableServiceLinks"] is False, name
        assert not any("hostPath" in volume for volume in pod["volumes"]), name
        for container in [*pod["containers"], *pod.get("initContainers", [])]:
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False, name
            assert context["capabilities"] == {"drop": ["ALL"]}, name
            for amounts in (container["resources"]["requests"], container["resources"]["limits"]):
                assert {"cpu", "memory", "ephemeral-storage"} <= amounts.keys(), name


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_service_has_what_a_service_needs(render, name):
    _, objects = render(f"overlays/{name}")
    named = {(one["kind"], one["metadata"]["name"]) for one in objects}
    for service in SERVICES:
        for kind in ("Deployment", "Service", "ServiceAccount", "HorizontalPodAutoscaler", "PodDisruptionBudget",
                     "NetworkPolicy"):
            assert (kind, service) in named, f"{service} has no {kind}"
    by_name = {one["metadata"]["name"]: one for one in objects if one["kind"] == "Deployment"}
    for service, deployment in by_name.items():
        assert "replicas" not in deployment["spec"], f"{service}: the autoscaler owns the replicas"
        pod = deployment["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert "httpGet" in container[probe], f"{service} has no {probe} over HTTP"
        assert container["readinessProbe"]["httpGet"] != container["livenessProbe"]["httpGet"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["lifecycle"]["preStop"]["sleep"]["seconds"] < pod["terminationGracePeriodSeconds"]
        spread = {one["topologyKey"] for one in pod["topologySpreadConstraints"]}
        assert spread == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}


@pytest.mark.parametrize("name", OVERLAYS)
def test_nothing_passes_that_no_policy_names(render, name):
    policies = {one["metadata"]["name"]: one["spec"] for one in render(f"overlays/{name}")[1]
                if one["kind"] == "NetworkPolicy"}
    assert policies["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for service in [*SERVICES, *(BACKENDS if name == "local" else ())]:
        (rule,) = policies[service]["ingress"]
        assert rule["from"] == [{"podSelector": {"matchLabels": {f"{service}-client": "true"}}}]


@pytest.mark.parametrize("name", OVERLAYS)
def test_a_pod_may_reach_exactly_what_it_needs(render, name):
    """The `<name>-client` labels, which the policies go by, say the same as the order (`devenv/needs`)."""
    for one in render(f"overlays/{name}")[1]:
        if one["kind"] in ("Deployment", "Job"):
            needs = {entry.split()[0] for entry in one["metadata"]["annotations"]["devenv/needs"].split(",")}
            labels = one["spec"]["template"]["metadata"]["labels"]
            reached = {key.removesuffix("-client") for key in labels if key.endswith("-client")}
            assert reached == needs - {"init"}, one["metadata"]["name"]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_images_of_an_environment_have_digests(render, name):
    for workload, pod in pods(render(f"overlays/{name}")[1]):
        for container in pod["containers"]:
            assert re.search(r"@sha256:[0-9a-f]{64}$", container["image"]), workload


def test_the_base_names_no_environment():
    for file in sorted((K8S / "base").rglob("*.yaml")):
        text = file.read_text()
        for image in re.findall(r"^\s*image: (.*)$", text, re.MULTILINE):
            assert re.fullmatch(r"[a-z]+", image), f"{file}: {image} has a tag or a registry"
        assert not re.search(r"^\s*(namespace|host|replicas):", text, re.MULTILINE), file


def test_an_ingress_has_only_fields_of_the_standard_outside_of_its_controllers_component():
    (ingress,) = yaml.safe_load_all((K8S / "base" / "gateway" / "ingress.yaml").read_text())
    assert "annotations" not in ingress["metadata"]
    assert "ingressClassName" not in ingress["spec"]
    for file in OURS:
        if "nginx.ingress.kubernetes.io" in file.read_text():
            assert file.parent.name == "ingress-nginx"


@pytest.mark.parametrize("file", OURS, ids=lambda path: str(path.relative_to(K8S)))
def test_a_file_holds_one_object_and_is_named_by_its_kind(file):
    documents = [one for one in yaml.safe_load_all(file.read_text()) if one is not None]
    if isinstance(documents[0], list) or "patches" in file.parts or file.name == "kind.yaml":
        return
    (one,) = documents
    assert "commonLabels" not in one
    if one["kind"] == "Component" or one["kind"] == "Kustomization":
        assert file.name == "kustomization.yaml"
    elif one["metadata"]["name"] != "any":
        assert file.name == f"{one['kind'].lower()}.yaml" or file.name.startswith(f"{one['kind'].lower()}-")


def test_every_file_is_used():
    used = {K8S / "kind.yaml"}
    for file in K8S.rglob("kustomization.yaml"):
        used.add(file)
        one = yaml.safe_load(file.read_text())
        used |= {file.parent / name for name in one.get("resources", ())}
        used |= {file.parent / patch["path"] for patch in one.get("patches", ()) if "path" in patch}
    assert [str(file) for file in OURS if file not in used] == []


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_machine_written_files_say_who_writes_them(name):
    for file in ("backends.env", "images/kustomization.yaml"):
        assert (K8S / "overlays" / name / file).read_text().startswith(f"# written by `devenv promote {name}`")


def test_local_secrets_are_never_committed():
    done = run("git", "check-ignore", "k8s/overlays/local/.secrets.env", cwd=ROOT)
    assert done.returncode == 0, "k8s/overlays/local/.secrets.env is not ignored"
    for name in ENVIRONMENTS:
        assert "secretGenerator" not in (K8S / "overlays" / name / "kustomization.yaml").read_text()


def test_the_cluster_listens_on_this_machine_only():
    cluster = yaml.safe_load((K8S / "kind.yaml").read_text())
    (node,) = cluster["nodes"]
    assert cluster["networking"]["apiServerAddress"] == "127.0.0.1"
    assert {one["listenAddress"] for one in node["extraPortMappings"]} == {"127.0.0.1"}
    assert all(one["readOnly"] and (ROOT / one["hostPath"]).is_dir() for one in node["extraMounts"])


def test_live_reload_wraps_the_services_and_nothing_else(render):
    """The same wrapper and the same places as in compose/reload.yml, and the images' own commands behind it."""
    file = ROOT / "compose" / "reload.yml"
    compose = yaml.safe_load(file.read_text())["services"] if file.exists() else {}
    for name, pod in pods(render("reload")[1]):
        (container,) = pod["containers"]
        if name not in SERVICES:
            assert "command" not in container, f"{name} is no service and is not reloaded"
            continue
        source = "/opt/devenv/source"
        assert container["command"] == [
            "python", "/opt/devenv/reload", "--kind", "asgi", "--source", f"{source}/service",
            "--source", f"{source}/servicekit", "--",
        ]
        arguments = [word.replace("$(SERVICE)", name) for word in container["args"]]
        assert arguments == ["uvicorn", f"{name}.app:app", "--host", "0.0.0.0", "--port", "8080"]
        places = {one["mountPath"]: one for one in container["volumeMounts"] if one["name"] == "source"}
        assert places.keys() == {"/opt/devenv/reload", f"{source}/service", f"{source}/servicekit"}
        assert all(one["readOnly"] for one in places.values())
        if compose:
            assert compose[name]["entrypoint"] == container["command"]
            assert compose[name].get("command", arguments) == arguments


def test_the_tiltfile_is_short_and_names_no_service():
    text = (ROOT / "Tiltfile").read_text()
    assert len(text.splitlines()) <= 80
    assert not re.search(rf"\b({'|'.join([*COMPOSE, *BACKENDS])})\b", text)


@pytest.mark.skipif(not shutil.which("tilt"), reason="Tilt is in no package registry, and is not on PATH")
@pytest.mark.parametrize("live", ["mount", "sync", "off"])
def test_tilt_knows_every_service_its_order_and_its_ports(tmp_path, k8s, live):
    for name in ("Tiltfile", "docker-compose.yml"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "compose", tmp_path / "compose")
    shutil.copytree(k8s, tmp_path / "k8s")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "KUBECONFIG": str(tmp_path / "none"),
                   **{f"{name.upper()}_PASSWORD": "x" for name in BACKENDS}}
    done = run("tilt", "alpha", "tiltfile-result", "--", f"--live={live}", cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    resources = {one["Name"]: one for one in json.loads(done.stdout)["Manifests"]}
    for name, service in COMPOSE.items():
        assert set(resources[name]["ResourceDependencies"] or ()) == set(service["depends_on"])
        (image,) = resources[name]["ImageTargets"]
        assert bool(image["LiveUpdateSpec"].get("syncs")) is (live == "sync")
    for name in BACKENDS:
        assert not resources[name].get("ImageTargets")
    for name in SERVICES:
        (forward,) = resources[name]["DeployTarget"]["portForwardTemplateSpec"]["forwards"]
        assert (forward["host"], forward["containerPort"]) == ("127.0.0.1", 8080)


def test_the_node_of_kind_has_the_version_that_terraform_asks_for():
    versions = json.loads((K8S / "versions.json").read_text())
    assert versions["kind_node"].startswith(f"kindest/node:v{versions['kubernetes']}.")
    assert recipes.load("kind-node").version.startswith(f"{versions['kubernetes']}.")
