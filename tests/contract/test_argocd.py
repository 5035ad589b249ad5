"""What Argo CD is told (k8s/argocd), and Argo CD itself as a cluster's add-on (k8s/addons/argocd)."""

import json
import re
import shutil
from dataclasses import replace

import pytest
import yaml

from devenv.config.gitops import Gitops
from devenv.images import recipes
from devenv.project import find
from devenv.promotion.context import Options, Promotion
from devenv.promotion.render import without_rights
from devenv.shell import Runner
from tests.contract.test_manifests import ENVIRONMENTS, ROOT, pods, validate

REPOSITORY = "https://git.example.com/caas.git"
SCHEMAS = ROOT / "tests" / "contract" / "schemas"


@pytest.fixture
def told(render):
    """The project and the set of applications."""
    by_kind = {one["kind"]: one for one in render("argocd")[1]}
    assert by_kind.keys() == {"AppProject", "ApplicationSet"}
    return by_kind


@pytest.fixture
def applications(told):
    """Environment -> what the controller makes of the template."""
    spec = told["ApplicationSet"]["spec"]
    made = {}
    for element in spec["generators"][0]["list"]["elements"]:
        text = json.dumps(spec["template"])
        for name, value in element.items():
            text = text.replace(f"{{{{ .{name} }}}}", value)
        assert "{{" not in text
        made[element["environment"]] = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", **json.loads(text)}
    return made


def test_it_fits_the_definitions_of_argo_cd(render, applications):
    for text in (render("argocd")[0], yaml.safe_dump_all(applications.values())):
        done = validate(text)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Skipped: 0" in done.stdout and "Valid: 2" in done.stdout


@pytest.mark.parametrize(("right", "wrong"), [
    ("selfHeal:", "selfheal:"), ("clusterResourceWhitelist:", "clusterResourcesWhitelist:"),
    ("preserveResourcesOnDeletion: true", "preserveResourcesOnDeletion: 1"), ("jsonPointers:", "jsonPointer:"),
])
def test_the_definitions_refuse_what_nobody_defined(render, right, wrong):
    text = render("argocd")[0]
    assert text.count(right) == 1
    done = validate(text.replace(right, wrong))
    assert done.returncode != 0 and "Invalid: 1" in done.stdout


def test_every_environment_has_an_application_of_its_releases(applications, render):
    assert applications.keys() == set(ENVIRONMENTS)
    for name, one in applications.items():
        source, destination = one["spec"]["source"], one["spec"]["destination"]
        assert source["path"] == f"k8s/releases/{name}"
        (namespace,) = [each for each in render(f"overlays/{name}")[1] if each["kind"] == "Namespace"]
        assert destination == {"name": name, "namespace": namespace["metadata"]["name"]}
        assert one["spec"]["syncPolicy"]["automated"] == {"prune": True, "selfHeal": True}


def group(one):
    return one["apiVersion"].rpartition("/")[0]


def kinds(render):
    """(group, kind) of everything that `promote --gitops` commits."""
    return {(group(one), one["kind"]) for name in ENVIRONMENTS
            for one in without_rights(render(f"overlays/{name}")[1])}


def test_the_project_allows_what_the_overlays_hold_and_no_more(told, applications, render):
    spec = told["AppProject"]["spec"]
    cluster = {(one["group"], one["kind"]) for one in spec["clusterResourceWhitelist"]}
    inside = {(one["group"], one["kind"]) for one in spec["namespaceResourceWhitelist"]}
    assert cluster == {("", "Namespace")}
    assert inside == kinds(render) - cluster
    assert spec["destinations"] == [one["spec"]["destination"] for one in applications.values()]
    assert spec["sourceRepos"] == [REPOSITORY]


def test_one_file_says_where_the_repository_is(k8s, render):
    there = k8s / "elsewhere"
    shutil.copytree(k8s / "argocd", there)
    (there / "repository.env").write_text("URL=ssh://git@git.acme.io/chat.git\nBRANCH=live\n")
    text, objects = render("elsewhere")
    assert "filled in" not in text and REPOSITORY not in text
    project, applications = sorted(objects, key=lambda one: one["kind"] != "AppProject")
    assert project["spec"]["sourceRepos"] == ["ssh://git@git.acme.io/chat.git"]
    source = applications["spec"]["template"]["spec"]["source"]
    assert (source["repoURL"], source["targetRevision"]) == ("ssh://git@git.acme.io/chat.git", "live")


def test_promote_commits_by_default_where_the_applications_look(told, applications):
    """Without a table `gitops` in devenv.toml."""
    source = told["ApplicationSet"]["spec"]["template"]["spec"]["source"]
    assert source["targetRevision"] == Gitops().branch
    project = find(ROOT)
    for name, one in applications.items():
        environment = replace(project.config.environments[name], gitops=Gitops())
        promotion = Promotion(project, Runner(), None, environment, Options(), bool)
        assert (promotion.branch.folder, promotion.application.name) == (
            one["spec"]["source"]["path"], one["metadata"]["name"])


def test_nothing_waits_in_a_sync_which_would_hold_up_the_revert(told, applications, render):
    """Argo CD begins no other sync before it has ended: no waves, no hooks, nothing pruned last."""
    for one in applications.values():
        assert "PruneLast=true" not in one["spec"]["syncPolicy"]["syncOptions"]
    for name in ENVIRONMENTS:
        assert "argocd.argoproj.io/" not in render(f"overlays/{name}")[0]


def test_the_add_on_is_valid_and_every_pod_is_restricted(render):
    text, objects = render("addons/argocd/core")
    done = validate(text)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Skipped: 0" in done.stdout
    (namespace,) = [one for one in objects if one["kind"] == "Namespace"]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for name, pod in pods(objects):
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True}, name
        assert container["resources"]["limits"].keys() == {"cpu", "memory", "ephemeral-storage"}, name


def test_the_controller_may_write_what_the_project_allows_and_no_more(told, render):
    (role,) = [one for one in render("addons/argocd/core")[1] if one["kind"] == "ClusterRole"]
    written = {(group, resource) for rule in role["rules"] if "delete" in rule["verbs"]
               for group in rule["apiGroups"] for resource in rule["resources"]}
    spec = told["AppProject"]["spec"]
    allowed = {(one["group"], re.sub(r"y$", "ie", one["kind"].lower()) + ("es" if one["kind"] == "Ingress" else "s"))
               for key in ("clusterResourceWhitelist", "namespaceResourceWhitelist") for one in spec[key]}
    assert written == allowed
    assert not any("*" in rule[key] for rule in role["rules"] for key in ("apiGroups", "resources", "verbs"))


def test_one_version_of_argo_cd_is_meant_everywhere(render):
    version = recipes.load("argocd").version
    images = {container["image"] for _, pod in pods(render("addons/argocd/core")[1]) for container in pod["containers"]}
    assert images == {f"quay.io/argoproj/argocd:v{version}", "redis:8"}
    assert f"github.com/argoproj/argo-cd/v3 v{version}" in (
        recipes.load("argocd").directory / "argocd" / "go.mod").read_text()
    for name in ("application", "applicationset", "appproject"):
        assert f" v{version} " in (SCHEMAS / f"{name}-argoproj-v1alpha1.json").read_text()
