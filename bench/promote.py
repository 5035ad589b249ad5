"""A promotion of nothing, and the way back from a bad one, on kind: against Terraform and kubectl in series, and Helm.

Cluster and project are those of promotion's own tests; AWS is mocked by moto, which keeps what bench/terraform makes.
"""

from __future__ import annotations

import json
import logging
import subprocess
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.table import Row
from devenv.doctor.programs import ensure_programs
from devenv.engine import Engine
from devenv.shell import Runner
from devenv.terraform import Terraform, rehearsal
from tests.e2e.cluster import kind_with_registry
from tests.e2e.promotion.cluster import trial_on
from tests.e2e.promotion.faults import changed, crash
from tests.e2e.promotion.project import Trial
from tests.terraform.mocked import mocked_aws

OFFSET = 5600
TERRAFORM = Path(__file__).parent / "terraform"
SERIES = "terraform plan, then kubectl diff"
# Helm 4 has `--rollback-on-failure` for Helm 3's `--atomic`.
HELM, HELM_TUNED = "helm upgrade --atomic --wait (5 min)", "helm upgrade --atomic --wait --timeout 30s"
GOOD, BAD = "1.0.0", "1.0.1"


def measure(n: int, dockers: Mapping[str, str]) -> list[Row]:
    """All rows of this module; a third of `n`, at least 5, promote nothing; a sixth of it, at least 3, fail."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request
    with TemporaryDirectory(prefix="devenv-bench-") as scratch, mocked_aws() as endpoint:
        ensure_programs(("helm", "terraform"), Runner(), Engine(), Path(scratch, "logs"))
        Path(scratch, "cluster").mkdir()
        with kind_with_registry(Path(scratch, "cluster"), "promoted", OFFSET) as (made, registry):
            trial = trial_on(made, registry, Path(scratch, "trial"), _Bench)
            trial.aws = rehearsal.environment(endpoint)
            try:
                trial.take("one")
                trial.promote()
                noop = _noop(trial, max(5, n // 3))
                bad = _bad(trial, max(3, n // 6))
            finally:
                trial.run("down")
                trial.remove_images()
    return [Row("no-op promote", "ms", noop.pop("devenv"), noop, {SERIES: 0.55}),
            Row("bad rollout to last good", "ms", bad.pop("devenv"), bad, {HELM: 0.05, HELM_TUNED: 1.0})]


class _Bench(Trial):
    """The tests' project, with something in AWS, and run as an installed program is: with bytecode on the disk."""

    aws: Mapping[str, str] = {}
    terraform = TERRAFORM.name

    def configure(self, **more: object) -> None:
        for file in (TERRAFORM / "main.tf", TERRAFORM / ".terraform.lock.hcl"):
            self.write(f"{TERRAFORM.name}/{file.name}", file.read_text())
        super().configure(terraform=self.terraform, **more)

    def environment(self, more: dict[str, str]) -> dict[str, str]:
        found = {**super().environment(more), **self.aws}
        found.pop("PYTHONDONTWRITEBYTECODE", None)
        return found

    def timed(self, *argv: str, ends_well: bool = True, variables: Mapping[str, str] | None = None) -> float:
        """Milliseconds of one command."""
        began = time.perf_counter()
        done = subprocess.run(argv, cwd=self.root, env=self.environment(dict(variables or {})), capture_output=True,
                              text=True, check=False)
        took = (time.perf_counter() - began) * 1000
        if (done.returncode == 0) is not ends_well:
            said = f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
            raise RuntimeError(f"{' '.join(argv)} exited with {done.returncode}:\n{said}")
        return took

    def chart(self, version: str, images: Mapping[str, str]) -> str:
        """The overlay of production as a chart: the two services, and nothing that has one place in a cluster."""
        words = [word for name, image in images.items() for word in ("--image", f"{name}={image}")]
        return self.run("chart", "production", "--version", version, *words).stdout.strip()


def _noop(trial: _Bench, n: int) -> dict[str, list[float]]:
    """Nothing has changed, in AWS or in the cluster."""
    taken: dict[str, list[float]] = {"devenv": [], SERIES: []}
    state = trial.root / ".devenv" / "releases" / "staging"
    # The same working data and providers; as a person types it, without what devenv tunes.
    variables = Terraform(Runner(), trial.root / trial.terraform, state / "terraform", trial.aws).environment()
    variables.pop("GOGC", None)
    rendered = str(state / "k8s" / "overlays" / "staging")
    for _ in range(n):
        began = time.perf_counter()
        done = trial.promote("--json")
        taken["devenv"].append((time.perf_counter() - began) * 1000)
        if not json.loads(done.stdout)["unchanged"]:
            raise RuntimeError(f"a promotion of nothing changed something:\n{done.stdout}")
        taken[SERIES].append(
            trial.timed("terraform", f"-chdir={trial.terraform}", "plan", "-input=false", "-detailed-exitcode",
                        variables=variables)
            + trial.timed("kubectl", "--context", trial.context, "diff", "--server-side", "--kustomize", rendered))
    return taken


def _bad(trial: _Bench, n: int) -> dict[str, list[float]]:
    """A release in which one service crashes, the other one's image being new; until the release before runs again."""
    taken: dict[str, list[float]] = {"devenv": [], HELM_TUNED: [], HELM: []}
    before = trial.digests()
    good = {name: one["reference"] for name, one in trial.release()["images"].items()}
    charts = {GOOD: trial.chart(GOOD, good)}
    trial.terraform = ""  # of which Helm knows nothing
    changed(trial, "bad", crash)
    trial.promote(code=4)  # which pushes its images, for both
    failed = json.loads(trial.run("releases", "staging", "--json").stdout)["releases"][0]
    charts[BAD] = trial.chart(BAD, {name: one["reference"] for name, one in failed["images"].items()})
    spaces = [f"by-helm-{number}" for number in range(n)]
    for space in spaces:
        trial.kubectl("create", "namespace", space)
        trial.timed(*_helm(trial, space), "install", "trial", charts[GOOD], "--wait")
    for number in range(n):
        began = time.perf_counter()
        trial.promote(code=4)
        taken["devenv"].append((time.perf_counter() - began) * 1000)
        if trial.digests() != before:
            raise RuntimeError("devenv: the release before does not run")
        taken[HELM_TUNED].append(_upgrade(trial, spaces[number], charts[BAD], good, "--timeout", "30s"))
    # Five minutes of waiting each, in which nothing else is done: all at once.
    with ThreadPoolExecutor(max_workers=n) as pool:
        taken[HELM] = list(pool.map(lambda space: _upgrade(trial, space, charts[BAD], good), spaces))
    return taken


def _helm(trial: _Bench, space: str) -> list[str]:
    return ["helm", "--kube-context", trial.context, "--namespace", space]


def _upgrade(trial: _Bench, space: str, chart: str, good: Mapping[str, str], *words: str) -> float:
    """Milliseconds of an upgrade that fails and goes back."""
    took = trial.timed(*_helm(trial, space), "upgrade", "trial", chart, "--atomic", "--wait", *words, ends_well=False)
    for one in json.loads(trial.kubectl("--namespace", space, "get", "deployments", "--output", "json"))["items"]:
        image = one["spec"]["template"]["spec"]["containers"][0]["image"]
        if image != good[one["metadata"]["name"]] or one["status"].get("readyReplicas") != 1:
            raise RuntimeError(f"helm: {one['metadata']['name']} does not run as before in {space}: {image}")
    return took
