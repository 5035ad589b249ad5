"""`devenv parity` on this repository: clean as it is, and blind to none of 24 planted differences.

The plants are edits of files, written without regard to how the check works; the command is run as a person runs it.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
OVERLAYS = ("local", "production", "staging")
BACKENDS, SERVICES = "compose/backends.yml", "compose/services.yml"


class Plant(NamedTuple):
    category: str
    service: str
    overlay: str
    file: str
    old: str
    new: str


PLANTS = (
    Plant("services", "courier", "local", SERVICES, "\nservices:\n", "\nservices:\n  courier: {image: courier}\n"),
    Plant("services", "sockets", "staging", "k8s/base/kustomization.yaml", "  - sockets\n", ""),
    Plant("images", "redis", "local", BACKENDS, "redis:8}", "valkey/valkey:8}"),
    Plant("images", "messaging", "staging", "k8s/overlays/staging/images/kustomization.yaml",
          "caas/messaging\n", "caas/billing\n"),
    Plant("versions", "kafka", "production", BACKENDS, "apache/kafka:4.1.1", "apache/kafka:3.9.1"),
    Plant("versions", "minio", "local", "k8s/components/backends/minio/statefulset.yaml", "2025-09-07", "2025-04-22"),
    Plant("environment", "billing", "staging", SERVICES, "  LOG_LEVEL: ", "  SAMPLING: off\n  LOG_LEVEL: "),
    Plant("environment", "kafka", "local", "k8s/components/backends/kafka/statefulset.yaml",
          'KAFKA_AUTO_CREATE_TOPICS_ENABLE, value: "false"', 'KAFKA_AUTO_CREATE_TOPICS_ENABLE, value: "true"'),
    Plant("secrets", "gateway", "production", SERVICES, "KAFKA_PASSWORD: ${KAFKA_PASSWORD}",
          "KAFKA_PASSWORD: ${REDIS_PASSWORD}"),
    Plant("secrets", "sockets", "staging", "k8s/base/patches/pod.yaml", "{name: credentials, key: REDIS_PASSWORD}",
          "{name: redis-credentials, key: REDIS_PASSWORD}"),
    Plant("ports", "billing", "local", SERVICES, "BILLING_PORT:-8083}:8080", "BILLING_PORT:-8083}:8090"),
    Plant("ports", "messaging", "production", "k8s/base/messaging/service.yaml", "port: 8080", "port: 80"),
    Plant("health", "gateway", "staging", SERVICES, "8080/readyz", "8080/healthz"),
    Plant("health", "mongodb", "local", "k8s/components/backends/mongodb/statefulset.yaml", "'ping'", "'hello'"),
    Plant("timing", "messaging", "production", SERVICES, "start_period: 60s", "start_period: 20s"),
    Plant("timing", "sockets", "local", "k8s/base/patches/http.yaml", "terminationGracePeriodSeconds: 20",
          "terminationGracePeriodSeconds: 60"),
    Plant("order", "gateway", "staging", SERVICES, "sockets: {condition: service_started}",
          "sockets: {condition: service_healthy}"),
    Plant("order", "init", "production", "k8s/base/init/job.yaml", ", minio healthy", ""),
    Plant("volumes", "kafka", "local", BACKENDS, "kafka-data:/var/lib/kafka/data", "kafka-data:/data"),
    Plant("volumes", "billing", "production", "k8s/base/patches/pod.yaml", "mountPath: /tmp", "mountPath: /scratch"),
    Plant("limits", "gateway", "staging", SERVICES, "memory: 512m", "memory: 768m"),
    Plant("limits", "redis", "local", "k8s/components/backends/redis/statefulset.yaml", 'limits: {cpu: "1"',
          'limits: {cpu: "2"'),
    Plant("security", "messaging", "production", SERVICES, "  read_only: true\n", ""),
    Plant("security", "mongodb", "local", "k8s/components/backends/mongodb/statefulset.yaml", "runAsUser: 999",
          "runAsUser: 1999"),
)


@pytest.fixture
def checkout(tmp_path):
    """The files that parity reads, as a fresh clone has them."""
    for name in ("docker-compose.yml", "devenv.toml"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("compose", "k8s"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns(".*"))
    for dockerfile in ROOT.glob("services/*/Dockerfile"):
        folder = tmp_path / dockerfile.parent.relative_to(ROOT)
        folder.mkdir(parents=True)
        shutil.copy(dockerfile, folder)
    return tmp_path


def parity(directory, *arguments):
    """The exit code, and what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "devenv", "--project-directory", str(directory), "parity", *arguments],
        capture_output=True, text=True, timeout=60, check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_this_repository_has_no_unexplained_difference_in_any_overlay(checkout):
    status, out, err = parity(checkout, "--json")
    report = json.loads(out)
    assert [one for one in report["differences"] if not one["explained"]] == [], err
    assert report["overlays"] == list(OVERLAYS)
    assert (status, report["passed"], report["expired"], report["idle"]) == (0, True, [], [])


def test_there_are_two_plants_for_each_class_and_some_for_each_overlay():
    from devenv.config import PARITY_CLASSES

    planted = [one.category for one in PLANTS]
    assert {category: planted.count(category) for category in PARITY_CLASSES} == dict.fromkeys(PARITY_CLASSES, 2)
    assert {one.overlay for one in PLANTS} == set(OVERLAYS)


@pytest.mark.parametrize("plant", PLANTS, ids=lambda one: f"{one.category}-{one.service}-{one.overlay}")
def test_a_planted_difference_is_found(checkout, plant):
    file = checkout / plant.file
    text = file.read_text()
    assert plant.old in text, f"the plant does not fit {plant.file} any more"
    file.write_text(text.replace(plant.old, plant.new))

    status, out, err = parity(checkout, plant.overlay, "--json")

    assert status == 3, err
    found = [one for one in json.loads(out)["differences"] if not one["explained"]]
    assert (plant.category, plant.service) in {(one["class"], one["service"]) for one in found}
    for one in found:
        for place in one["look_at"].values():
            assert (checkout / place.split(":")[0]).is_file(), place


def test_the_table_names_both_values_and_both_files(checkout):
    file = checkout / "compose" / "backends.yml"
    file.write_text(file.read_text().replace("memory: 256m", "memory: 300m"))
    status, out, err = parity(checkout, "local")
    assert status == 3
    row = out.splitlines()[1].split()
    assert row[:6] == ["local", "limits", "redis", "memory", "300Mi", "256Mi"]
    assert row[6].startswith("compose/backends.yml:")
    assert out.splitlines()[2].split()[0].startswith("k8s/components/backends/redis/statefulset.yaml:")
    assert "1 difference between Compose and local" in err


def test_a_waiver_that_ran_out_explains_nothing_and_says_so(checkout):
    file = checkout / "devenv.toml"
    file.write_text(file.read_text().replace("until = 20", "until = 19"))
    status, out, err = parity(checkout, "staging")
    assert status == 3
    assert "versions" in out and "ran out on 19" in err


def test_a_project_without_overlays_is_told_what_is_missing(tmp_path):
    (tmp_path / "docker-compose.yml").write_text("services: {web: {image: web}}\n")
    status, _, err = parity(tmp_path)
    assert status == 2
    assert "no Kubernetes overlays" in err and "k8s/overlays/<name>/kustomization.yaml" in err


def test_an_unknown_overlay_gets_a_suggestion(checkout):
    status, _, err = parity(checkout, "stagin")
    assert status == 2
    assert "did you mean `staging`?" in err


def test_a_broken_manifest_is_named_with_its_line(checkout):
    file = checkout / "k8s" / "base" / "gateway" / "service.yaml"
    file.write_text("apiVersion: v1\nkind: Service\n  name: gateway\n")
    status, _, err = parity(checkout, "staging")
    assert status == 2
    assert f"{file}:3: broken YAML" in err


def test_no_value_of_a_secret_is_shown(checkout):
    canary = "canary-4f1d"
    names = ("MONGODB_PASSWORD", "KAFKA_PASSWORD", "REDIS_PASSWORD", "MINIO_PASSWORD", "DEMO_API_KEY")
    (checkout / "k8s/overlays/local/.secrets.env").write_text("".join(f"{name}={canary}\n" for name in names))
    (checkout / ".env").write_text("".join(f"{name}={canary}\n" for name in names))
    for name in ("backends", "services"):
        file = checkout / "compose" / f"{name}.yml"
        file.write_text(file.read_text().replace("_PASSWORD: $", "_PASSWD: $"))
    status, out, err = parity(checkout, "local", "--json")
    assert status == 3
    assert canary not in out + err
