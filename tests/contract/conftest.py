"""What kustomize makes of the manifests; rendered once for all tests."""

import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
import yaml

K8S = Path(__file__).parents[2] / "k8s"


@pytest.fixture(scope="session")
def k8s(tmp_path_factory):
    """A copy of the manifests with the local, git-ignored file that a person would write."""
    copy = tmp_path_factory.mktemp("repository") / "k8s"
    shutil.copytree(K8S, copy, ignore=shutil.ignore_patterns(".*"))
    names = ("MONGODB_PASSWORD", "KAFKA_PASSWORD", "REDIS_PASSWORD", "MINIO_PASSWORD", "DEMO_API_KEY")
    (copy / "overlays" / "local" / ".secrets.env").write_text("".join(f"{name}=x\n" for name in names))
    return copy


@pytest.fixture(scope="session")
def render(k8s):
    """A function from a directory below k8s/ to its objects, as one text and parsed."""

    @cache
    def rendered(directory):
        argv = ["kubectl", "kustomize", str(k8s / directory)]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout, [one for one in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if one]

    return rendered
