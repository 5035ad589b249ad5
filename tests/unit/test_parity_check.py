from datetime import date
from pathlib import Path

import pytest

from devenv.config import PARITY_CLASSES, Waiver, load_config
from devenv.errors import UsageError
from devenv.parity.check import check, fits, judge
from devenv.parity.facts import Difference, Platform, Workload
from devenv.parity.rendering import overlays, render
from devenv.parity.sources import ComposeFiles, Manifests
from devenv.project import Project
from tests.unit.fakes import FakeRunner

TODAY = date(2027, 1, 15)
COMPOSE = Platform({"db": Workload("db", {"versions": {"version": "8"}}, is_backend=True)})
CLUSTER = Platform({"db": Workload("db", {"versions": {"version": "5"}})})


def waiver(until=date(2027, 2, 1), **rest):
    return Waiver(**{"category": "versions", "reason": "it is meant", "until": until, **rest})


def judged(*waivers, complete=True):
    return judge(COMPOSE, {"live": CLUSTER}, waivers, TODAY, {}, complete)


def test_a_difference_without_a_waiver_fails():
    report = judged()
    assert not report.passed
    assert [one.difference.field for one in report.unexplained] == ["version"]


def test_a_waiver_explains_its_difference_to_the_last_day():
    assert judged(waiver(until=TODAY)).passed


def test_a_waiver_that_ran_out_explains_nothing():
    report = judged(waiver(until=date(2027, 1, 14)))
    assert not report.passed
    assert report.unexplained[0].waiver == waiver(until=date(2027, 1, 14))


def test_a_waiver_that_ran_out_fails_even_when_its_difference_is_gone():
    report = judge(COMPOSE, {"live": COMPOSE}, [waiver(until=date(2026, 1, 1))], TODAY, {}, True)
    assert (report.findings, report.passed) == ((), False)


def test_an_idle_waiver_is_told_only_where_all_of_its_overlays_were_looked_at():
    idle = waiver(service="other")
    assert judged(waiver(), idle).idle == (idle,)
    assert judged(waiver(), idle, complete=False).idle == ()
    assert judged(waiver(), waiver(overlay="elsewhere")).idle == ()


@pytest.mark.parametrize(("rest", "fit"), [
    ({}, True), ({"category": "images"}, False), ({"service": "db"}, True), ({"service": "web"}, False),
    ({"field": "version"}, True), ({"overlay": "live"}, True), ({"overlay": "other"}, False),
    ({"compose": "8", "kubernetes": "5"}, True), ({"compose": "9"}, False),
])
def test_a_waiver_fits_what_it_names(rest, fit):
    assert fits(waiver(**rest), "live", Difference("versions", "db", "version", "8", "5")) is fit


def test_waivers_are_read_from_the_settings(tmp_path):
    path = tmp_path / "devenv.toml"
    path.write_text('[[parity.waivers]]\nclass = "limits"\nservice = "db"\nreason = "small"\nuntil = 2027-03-01\n')
    expected = Waiver(category="limits", service="db", reason="small", until=date(2027, 3, 1))
    assert load_config(path).waivers == (expected,)


def test_every_problem_of_a_waiver_is_reported(tmp_path):
    path = tmp_path / "devenv.toml"
    path.write_text('[[parity.waivers]]\nclass = "limit"\nservis = "db"\nuntil = "2027-03-01"\nfield = 3\n')
    with pytest.raises(UsageError) as problem:
        load_config(path)
    assert problem.value.message.splitlines()[1:] == [
        "  - line 3: unknown key `parity.waivers.servis`, did you mean `parity.waivers.service`?",
        f"  - line 1: waiver 1 in `parity.waivers` needs a `class`: {', '.join(PARITY_CLASSES)}",
        "  - line 1: waiver 1 in `parity.waivers` needs `until`: a date without quotes, such as 2027-01-31",
        "  - line 1: waiver 1 in `parity.waivers` needs a `reason`",
        "  - line 1: waiver 1 in `parity.waivers`: `field` must be a text",
    ]


COMPOSE_FILE = """name: shop
services:
  web:
    image: shop-web
    build: .
  db:
    image: postgres:17
    volumes: ["d:/data"]
volumes:
  d:
"""
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
        - name: web
          image: web
"""
PATCH = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: any\nspec:\n  # limits: none\n  limits: {cpu: 1}\n"


@pytest.fixture
def project(tmp_path):
    (tmp_path / "compose.yaml").write_text(COMPOSE_FILE)
    (tmp_path / "devenv.toml").write_text('[secrets]\nDB_PASSWORD = ""\n')
    local = tmp_path / "k8s" / "overlays" / "local"
    local.mkdir(parents=True)
    (tmp_path / "k8s" / "web.yaml").write_text(DEPLOYMENT)
    (local / "patch.yaml").write_text(PATCH)
    (local / "kustomization.yaml").write_text(
        "resources: [../../web.yaml]\npatches:\n  - {path: patch.yaml, target: {kind: Deployment}}\n"
        "secretGenerator:\n  - {name: s, envs: [.secrets.env]}\n"
    )
    return Project(tmp_path, tmp_path / "compose.yaml")


class Kustomize(FakeRunner):
    """Notes what lies beside the kustomization that it is given."""

    def read(self, *argv, **options):
        if argv[0] == "kubectl":
            self.secrets = Path(argv[2], ".secrets.env").read_text()
        return super().read(*argv, **options)


def test_a_local_file_that_is_not_there_yet_is_stood_in_for_outside_of_the_project(project):
    runner = Kustomize({"kubectl": DEPLOYMENT})
    objects = render(project, overlays(project)["local"], runner)
    assert [one["kind"] for one in objects] == ["Deployment"]
    assert runner.secrets == "DB_PASSWORD=not-written-yet\n"
    assert not (project.root / "k8s/overlays/local/.secrets.env").exists()


def test_an_overlay_that_is_whole_is_rendered_in_its_place(project):
    (project.root / "k8s/overlays/local/.secrets.env").write_text("DB_PASSWORD=x\n")
    runner = Kustomize({"kubectl": DEPLOYMENT})
    render(project, overlays(project)["local"], runner)
    assert runner.calls == [f"kubectl kustomize {project.root}/k8s/overlays/local"]


def test_a_refusal_of_kustomize_names_the_broken_file(project):
    (project.root / "k8s" / "web.yaml").write_text("kind: Deployment\n  name: web\n")
    with pytest.raises(UsageError, match=r"web\.yaml:2: broken YAML"):
        render(project, overlays(project)["local"], FakeRunner({"kubectl": 1}))


def test_both_sides_are_asked_and_nothing_else_is(project):
    runner = FakeRunner({"docker compose": '{"name": "shop", "services": {}}', "kubectl": DEPLOYMENT})
    (project.root / "k8s/overlays/local/.secrets.env").write_text("")
    report = check(project, runner, (), TODAY)
    assert [one.difference for one in report.findings] == [Difference("services", "web", "service", None, "there")]
    assert sorted(line.split()[0] for line in runner.calls) == ["docker", "kubectl"]


def difference(category, service, field, compose="x", kubernetes="y"):
    return Difference(category, service, field, compose, kubernetes)


def test_a_place_in_compose_is_the_line_in_the_block_of_the_service(project):
    files = ComposeFiles(project)
    assert files.find(difference("images", "db", "image")) == "compose.yaml:7"
    assert files.find(difference("volumes", "db", "/data")) == "compose.yaml:8"
    assert files.find(difference("limits", "web", "memory", compose=None)) == "compose.yaml:3"
    assert files.find(difference("services", "gone", "service", compose=None)) == "compose.yaml"


def test_a_place_in_the_manifests_is_the_object_or_a_patch_that_is_aimed_at_it(project):
    manifests = Manifests(project, project.root / "k8s/overlays/local")
    assert manifests.find(difference("images", "web", "image")) == "k8s/web.yaml:10"
    assert manifests.find(difference("limits", "web", "cpu")) == "k8s/overlays/local/patch.yaml:7"
    assert manifests.find(difference("services", "gone", "service")) == "k8s/overlays/local/kustomization.yaml"
