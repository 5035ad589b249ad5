"""The environment that is rehearsed: as devenv.toml has it, but at the throw-away cluster."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from devenv.compose import load_yaml
from devenv.promotion import preflight
from devenv.promotion.context import Options, Place, Promotion
from devenv.rehearsal.context import Rehearsal
from devenv.terraform import rehearsal as mocked
from devenv.tls import authority


def early(rehearsal: Rehearsal) -> tuple[Promotion, list[str]]:
    """A promotion that knows source, images and receipt, and what these have against it; nothing else is asked."""
    # Its own release is of images of this machine, wherever the real environment takes them from.
    environment = replace(rehearsal.environment, source="", registry="", provenance="", gitops=None)
    promotion = Promotion(rehearsal.project, rehearsal.runner, rehearsal.engine, environment, Options(), _agree)
    return promotion, preflight.of_source(promotion)


def rehearsed(rehearsal: Rehearsal) -> Promotion:
    """The promotion to the throw-away cluster; nothing there is worth a question."""
    cluster, account = rehearsal.cluster, rehearsal.account
    uid = cluster.kubectl().read("get", "namespace", "kube-system", "--output", "jsonpath={.metadata.uid}").strip()
    environment = replace(
        rehearsal.environment, context=f"kind-{cluster.name}", cluster_uid=uid, registry=registry_url(rehearsal),
        backend=account.backend if account else {}, source="", provenance="", confirm="yes",
        smoke=tuple(map(path_of, rehearsal.environment.smoke)))
    place = Place(
        rehearsal.copy, cluster.kubeconfig, mocked.environment(account.endpoint) if account else {}, rehearsal.url,
        authority(rehearsal.runner).certificate,
        tuple(one.folder for one in (*rehearsal.addons, *rehearsal.waiting_addons)))
    return Promotion(rehearsal.project, rehearsal.runner, rehearsal.engine, environment, Options(), _agree, place)


def registry_url(rehearsal: Rehearsal) -> str:
    """Where the images go, without a service's name."""
    return f"{rehearsal.registry.host}/{rehearsal.project.title}"


def write_stand_ins(rehearsal: Rehearsal) -> None:
    """Tell the environment's Terraform what is there in place of what it leaves out."""
    known: dict[str, Any] = load_yaml(rehearsal.cluster.kubeconfig)["clusters"][0]["cluster"]
    mocked.write_stand_ins(
        rehearsal.copy.root / rehearsal.environment.terraform,
        cluster={"name": rehearsal.cluster.name, "endpoint": known["server"],
                 "certificate_authority": known["certificate-authority-data"]},
        registry_url=registry_url(rehearsal), host=str(urlsplit(rehearsal.url).hostname), backends=rehearsal.settings)


def path_of(url: str) -> str:
    """What to ask of a rehearsed platform in place of a real one's URL."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _agree(_: str) -> bool:
    return True
