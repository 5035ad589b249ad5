"""A small project with two services and no backends, and an environment of it on a kind cluster of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Timer
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from tests.e2e.checkout import clean_environment

MANIFEST = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
Done = subprocess.CompletedProcess[str]

NAMESPACE = "trial"
APP = """\
import http.server, os, signal, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"VERSION")
    def log_message(self, *_):
        pass
if os.environ.get("CRASH"):
    sys.exit("this version crashes")
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
http.server.HTTPServer(("", 8000), Handler).serve_forever()
"""
DOCKERFILE = """\
FROM python:3.13-slim
COPY app.py /
USER 10001
CMD ["python3", "-u", "/app.py"]
"""


def deployment(name: str) -> dict:
    probe = {"httpGet": {"path": "/", "port": 8000}, "periodSeconds": 1}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "labels": {"app": name}},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"terminationGracePeriodSeconds": 1, "containers": [
                    {"name": "service", "image": name, "readinessProbe": probe,
                     "env": [{"name": "LEVEL", "value": "info"}]}]}}}}


def container(known: dict, name: str) -> dict:
    return known[name]["spec"]["template"]["spec"]["containers"][0]


class Trial:
    """The project in a git repository, and `devenv` run in it."""

    def __init__(self, root: Path, context: str, kubeconfig: Path, uid: str, registry: str, url: str) -> None:
        self.root, self.context, self.kubeconfig = root, context, kubeconfig
        self.uid, self.registry, self.url = uid, registry, url
        self.states: dict[str, tuple[str, str]] = {}
        self.write("compose.yaml", "name: trial\nservices:\n" + "".join(
            f"  {name}:\n    build: {name}\n" for name in ("web", "worker")))
        for name in ("web", "worker"):
            self.write(f"{name}/Dockerfile", DOCKERFILE)
            self.version(name, "one")
        self.write("test_unit.py", "def test_one_and_one():\n    assert 1 + 1 == 2\n")
        self.write(".gitignore", ".devenv/\n__pycache__/\n.env\n.pytest_cache/\n*.tfstate*\n")
        self.configure()
        self.manifests()
        self.git("init", "-q")
        self.commit()

    def configure(self, **more) -> None:
        said = {"context": self.context, "cluster_uid": self.uid, "registry": f"{self.registry}/trial",
                "suites": ["unit"], "smoke": [self.url], "timeout_s": 40, **more}
        self.write("devenv.toml", '[test.unit]\ncommand = ["python", "-m", "pytest", "-p", "no:cacheprovider", '
                   '"test_unit.py"]\nneeds_platform = true\n\n[environments.staging]\n'
                   + "".join(f"{key} = {json.dumps(value)}\n" for key, value in said.items())
                   + "\n[environments.production]\n" + "".join(
                       f"{key} = {json.dumps(value)}\n" for key, value in {
                           "context": self.context, "cluster_uid": self.uid, "registry": f"{self.registry}/trial",
                           "from": "staging", "suites": ["unit"]}.items()))

    def manifests(self, more=(), change=lambda objects: None) -> None:
        objects = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
                   deployment("web"), deployment("worker"),
                   {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
                    "spec": {"type": "NodePort", "selector": {"app": "web"},
                             "ports": [{"port": 80, "targetPort": 8000, "nodePort": 30080}]}}, *more]
        production = [deployment("web"), deployment("worker")]
        for each in (objects, production):
            change({one["metadata"]["name"]: one for one in each if one["kind"] == "Deployment"})
        self.overlay("staging", NAMESPACE, objects)
        self.overlay("production", f"{NAMESPACE}-production", production)

    def overlay(self, name: str, namespace: str, objects: list) -> None:
        folder = f"k8s/overlays/{name}"
        self.write(f"{folder}/objects.json", json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        self.write(f"{folder}/kustomization.yaml", f"namespace: {namespace}\nresources: [objects.json]\n"
                   "components: [images]\n")
        nothing = "sha256:" + 64 * "0"
        self.write(f"{folder}/images/kustomization.yaml", f"# written by `devenv promote {name}`; do not edit\n"
                   "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nimages:\n" + "".join(
                       f"- {{name: {one}, newName: {self.registry}/trial/{one}, digest: '{nothing}'}}\n"
                       for one in ("web", "worker")))

    def version(self, service: str, version: str, app: str = APP) -> None:
        self.write(f"{service}/app.py", app.replace("VERSION", version))

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def take(self, state: str) -> str:
        """Bring back a state that was tested, its image of `web` included; returns that image's ID."""
        if state not in self.states:
            self.version("web", state)
            self.manifests(change=lambda known: container(known, "worker")["env"].append(
                {"name": "STATE", "value": state}))
            self.tested()
            image = subprocess.run(["docker", "image", "inspect", "--format", "{{.Id}}", f"{self.name}-web"],
                                   check=True, capture_output=True, text=True).stdout.strip()
            self.states[state] = (self.git("rev-parse", "HEAD").strip(), image)
        commit, image = self.states[state]
        self.git("checkout", "-q", commit)
        subprocess.run(["docker", "tag", image, f"{self.name}-web"], check=True)
        return image

    def git(self, *words: str) -> str:
        return subprocess.run(["git", "-c", "user.name=T", "-c", "user.email=t@example.com", *words], cwd=self.root,
                              check=True, capture_output=True, text=True).stdout

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "as it is", "--allow-empty")

    def tested(self) -> None:
        """Commit, and get a receipt the way a person would."""
        self.commit()
        assert self.run("test").returncode == 0

    def run(self, *words: str, code: int = 0, **environment: str) -> Done:
        done = self.tried(*words, **environment)
        assert done.returncode == code, f"devenv {' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def tried(self, *words: str, **environment: str) -> Done:
        return subprocess.run([sys.executable, "-m", "devenv", *words], cwd=self.root, capture_output=True, text=True,
                              timeout=300, check=False, env=self.environment(environment))

    def environment(self, more: dict[str, str]) -> dict[str, str]:
        return {**clean_environment(), "KUBECONFIG": str(self.kubeconfig), **more}

    def promote(self, *words: str, code: int = 0, **environment: str) -> Done:
        return self.run("promote", "staging", "--yes", *words, code=code, **environment)

    def interrupted(self, *words: str, at: str, act: Callable[[], Any], **environment: str) -> Done:
        """Run `devenv`, and `act` once it has said that the step whose title begins with `at` is done."""
        argv = [sys.executable, "-m", "devenv", *words]
        with subprocess.Popen(argv, cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=self.environment(environment)) as process:
            limit = Timer(400, process.kill)
            limit.start()
            said = []
            for line in process.stderr:
                said.append(line)
                if at and line.startswith(f"✓ {at}"):
                    act()
                    at = ""
            answer, code = process.stdout.read(), process.wait()
            limit.cancel()
        assert not at, f"`{at}` was never done:\n{''.join(said)}"
        return subprocess.CompletedProcess(argv, code, answer, "".join(said))

    def killed(self, *words: str, after_s: float) -> None:
        """Start `devenv`, and kill it after so many seconds, unless it has ended."""
        with subprocess.Popen([sys.executable, "-m", "devenv", *words], cwd=self.root, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, env=self.environment({})) as process:
            with suppress(subprocess.TimeoutExpired):
                process.wait(after_s)
            process.kill()

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        done = subprocess.run(["kubectl", "--context", self.context, "--namespace", NAMESPACE, *words], check=True,
                              capture_output=True, text=True, input=stdin,
                              env={**os.environ, "KUBECONFIG": str(self.kubeconfig)})
        return done.stdout

    def kubeconfig_with(self, name: str, user: dict | None = None, server: str = "") -> Path:
        """A copy of the administrator's kubeconfig in which the user, or the server's address, is another."""
        view = json.loads(self.kubectl("config", "view", "--raw", "--minify", "--output", "json"))
        if user:
            view["users"][0]["user"] = user
        if server:
            view["clusters"][0]["cluster"]["server"] = server
        path = self.root / ".devenv" / f"kubeconfig-{name}"
        path.write_text(json.dumps(view))
        return path

    def api_port(self) -> int:
        """Where on this machine the API server answers."""
        view = json.loads(self.kubectl("config", "view", "--minify", "--output", "json"))
        return urlsplit(view["clusters"][0]["cluster"]["server"]).port

    def objects(self) -> dict[str, str]:
        """Every object of the namespace that a promotion may write -> its resourceVersion."""
        items = json.loads(self.kubectl("get", "deployments,services,configmaps,secrets,leases", "-o", "json"))["items"]
        return {f"{one['kind']}/{one['metadata']['name']}": one["metadata"]["resourceVersion"] for one in items}

    def digests(self) -> dict[str, str]:
        """Service -> the digest that its ready pods run, as the node says."""
        items = json.loads(self.kubectl("get", "pods", "-o", "json"))["items"]
        return {one["metadata"]["labels"]["app"]: each["imageID"].rpartition("@")[2] for one in items
                for each in one["status"].get("containerStatuses", [])
                if each["ready"] and not one["metadata"].get("deletionTimestamp")}

    def push(self, image: str, tag: str) -> None:
        subprocess.run(["docker", "tag", image, tag], check=True)
        subprocess.run(["docker", "push", "--quiet", tag], check=True, capture_output=True)

    def push_other(self, tag: str) -> None:
        """Another image under that tag."""
        subprocess.run(["docker", "build", "--quiet", "--tag", tag, "-"], check=True, capture_output=True, text=True,
                       input="FROM scratch\nLABEL other=yes\n")
        subprocess.run(["docker", "push", "--quiet", tag], check=True, capture_output=True)

    @property
    def name(self) -> str:
        """The checkout's: images begin with it."""
        return json.loads((self.root / ".devenv" / "checkout.json").read_text())["name"]

    def remove_images(self) -> None:
        for prefix in (f"{self.name}-*", f"{self.registry}/trial/*"):
            listed = subprocess.run(["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", prefix],
                                    check=True, capture_output=True, text=True).stdout.split()
            for image in listed:
                subprocess.run(["docker", "image", "rm", image], check=False, capture_output=True)

    def delete_image(self, name: str, but: str) -> None:
        """Delete every manifest of an image from the registry, except that of one digest."""
        url = f"http://{self.registry}/v2/trial/{name}"
        for tag in json.load(urlopen(f"{url}/tags/list"))["tags"]:
            asked = Request(f"{url}/manifests/{tag}", headers={"Accept": MANIFEST}, method="HEAD")
            digest = urlopen(asked).headers["Docker-Content-Digest"]
            if digest != but:
                urlopen(Request(f"{url}/manifests/{digest}", method="DELETE")).close()

    def released(self) -> dict[str, str]:
        """Service -> the digest that the deployed release names."""
        return {name: one["reference"].partition("@")[2] for name, one in self.release()["images"].items()}

    def release(self) -> dict:
        """The deployed release, as `devenv releases` tells it."""
        listed = json.loads(self.run("releases", "staging", "--json").stdout)["releases"]
        return next(one for one in listed if one["status"] == "deployed")
