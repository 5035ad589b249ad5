"""The rival of `up --k8s`: kind, the registry script of kind's pages, and Tilt, on the same manifests and images."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

from bench.project import Project
from devenv.engine import Engine
from devenv.images.reference import parse
from devenv.images.resolve import look
from devenv.project import Checkout, find
from devenv.runtimes.kind.cluster import Cluster
from devenv.runtimes.kind.images import REGISTRY_IMAGE, node_image
from devenv.runtimes.kind.manifests import render
from devenv.shell import Runner

HERE = Path(__file__).parent
ADDONS = ("metrics-server", "ingress-nginx")
OFFSET = 5420
STARTED_S, NODE_S = 60, 300


class Rival:
    """A checkout in which a person types what the rivals' pages say."""

    def __init__(self, project: Project) -> None:
        self.root = project.root
        self.engine = Engine(timeout_s=60)
        found = find(project.root)
        found.remember(Checkout(found.checkout.name, OFFSET))
        # The local, git-ignored files that a person writes by hand (docs/guides/by-hand.md), and the images themselves.
        project.devenv("build")
        lines = (self.root / ".devenv" / "secrets.env").read_text()
        (self.root / "k8s" / "overlays" / "local" / ".secrets.env").write_text(lines)
        self.cluster = Cluster(find(project.root), Runner())
        self.name = self.cluster.name
        self.port = 5001 + OFFSET
        self.kubeconfig = self.root / ".devenv" / "rival-kubeconfig"
        self.config = self.root / ".devenv" / "rival-kind.json"
        self.certificate, self.key = (self.root / ".devenv" / f"rival.{kind}" for kind in ("crt", "key"))
        self.tilt: subprocess.Popen[bytes] | None = None
        self.images = self._write()

    def cold(self) -> float:
        """Seconds from no cluster to `tilt ci` done; the last cluster is deleted before the clock starts."""
        self.close()
        began = time.perf_counter()
        lines = "".join(f"{local} {name}\n" for local, name in self.images)
        node, registry = self._local(node_image(self.cluster.project)), self._local(REGISTRY_IMAGE)
        self._run(str(HERE / "cluster.sh"), self.name, node, registry, str(self.port), str(self.config),
                  str(self.certificate), str(self.key), *(f"k8s/rival/{addon}" for addon in ADDONS), stdin=lines)
        self._ci()
        return time.perf_counter() - began

    def warm(self) -> float:
        """Seconds from a stopped cluster to `tilt ci` done."""
        containers = (f"{self.name}-registry", f"{self.name}-control-plane")
        self._run("docker", "stop", "--time", "20", *containers)
        began = time.perf_counter()
        self._run("docker", "start", *containers)
        self._until("kubectl", "get", "--raw", "/readyz", limit_s=NODE_S)
        self._ci()
        return time.perf_counter() - began

    def watch(self) -> None:
        """`tilt up` in the background, copying edits (`live_update` with `sync`), once all is rolled out."""
        self.tilt = subprocess.Popen(["tilt", "up", "--stream", *self._where(), "--", "--live=sync"], cwd=self.root,
                                     env=self._environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                     start_new_session=True)
        # Known once the Tiltfile was read.
        self._until("tilt", "get", "uiresource/gateway", "--port", str(self._screen), limit_s=STARTED_S)
        self._run("tilt", "wait", "--port", str(self._screen), "--timeout", "300s", "--for=condition=Ready",
                  "uiresource/gateway")

    def stop_watching(self) -> None:
        """End Tilt."""
        if self.tilt:
            os.killpg(self.tilt.pid, signal.SIGTERM)
            self.tilt.wait()
            self.tilt = None

    def close(self) -> None:
        """Delete the cluster and the registry."""
        self.stop_watching()
        self._run("kind", "delete", "cluster", "--quiet", "--name", self.name, "--kubeconfig", str(self.kubeconfig))
        subprocess.run(["docker", "rm", "-fv", f"{self.name}-registry"], capture_output=True, check=False)

    def _write(self) -> list[tuple[str, str]]:
        """kind's configuration and the overlays with the registry's names; returns (local image, its name there)."""
        configuration = self.cluster.configuration()
        for node in configuration["nodes"]:
            node.pop("extraMounts", None)
        self.config.write_text(json.dumps(configuration))
        self._run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=localhost",
                  "-addext", "subjectAltName=DNS:localhost", "-keyout", str(self.key), "-out", str(self.certificate))
        pushed: dict[str, str] = {}
        for folder, there in (("k8s/sync", "."), *((f"k8s/addons/{addon}/local", addon) for addon in ADDONS)):
            images = []
            for wanted in render(Runner(), self.root / folder).images:
                if ":" not in wanted:
                    continue  # Tilt builds it
                one = parse(wanted)
                name = f"{one.repository.rpartition('/')[2]}:{one.tag}"
                pushed[self._local(wanted)] = name
                there_named = f"localhost:{self.port}/{name.partition(':')[0]}"
                images.append({"name": wanted.rpartition(":")[0], "newName": there_named, "newTag": one.tag})
            target = self.root / "k8s" / "rival" / there
            target.mkdir(parents=True, exist_ok=True)
            resource = os.path.relpath(self.root / folder, target)
            (target / "kustomization.yaml").write_text(json.dumps({"resources": [resource], "images": images}))
        return list(pushed.items())

    def _local(self, wanted: str) -> str:
        return look(wanted, self.engine).reference

    @property
    def _screen(self) -> int:
        return 10350 + OFFSET

    def _where(self) -> list[str]:
        return ["--context", f"kind-{self.name}", "--host", "127.0.0.1", "--port", str(self._screen)]

    def _ci(self) -> None:
        self._run("tilt", "ci", *self._where(), "--", "--live=sync")

    def _environment(self) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("COMPOSE_")}
        return {**ours, "KUBECONFIG": str(self.kubeconfig), "DEVENV_OVERLAY": "k8s/rival", "DO_NOT_TRACK": "1"}

    def _until(self, *argv: str, limit_s: float) -> None:
        """Ask again and again until it succeeds."""
        deadline = time.monotonic() + limit_s
        while subprocess.run(argv, env=self._environment(), capture_output=True, check=False).returncode:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{' '.join(argv)} did not succeed within {limit_s:.0f} s")
            time.sleep(0.3)

    def _run(self, *argv: str, stdin: str = "") -> None:
        done = subprocess.run(argv, cwd=self.root, env=self._environment(), input=stdin, capture_output=True, text=True,
                              check=False)
        if done.returncode:
            said = f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
            raise RuntimeError(f"{' '.join(argv)} exited with {done.returncode}:\n{said}")
