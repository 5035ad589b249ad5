"""Releases, and their records in the cluster: a Secret each, with everything that going back needs."""

from __future__ import annotations

import gzip
import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from typing import Any

from devenv.kubernetes.kubectl import Kubectl
from devenv.promotion.labels import PROJECT, RECORD

APPLYING, DEPLOYED, FAILED = "applying", "deployed", "failed"
KEPT = 10
_TYPE = "devenv/release"


@dataclass(frozen=True)
class Image:
    """An image of a release: what ran in the tests, and the manifest that the registry serves for it."""

    image_id: str
    reference: str  # REGISTRY/NAME@sha256:...

    @property
    def digest(self) -> str:
        """The manifest's digest."""
        return self.reference.partition("@")[2]


@dataclass(frozen=True)
class Release:
    """A set of digests with the manifests that run them."""

    id: str  # of the content: the same content is the same release
    images: Mapping[str, Image]
    receipt: str
    commit: str
    manifests: str  # hash of the overlay's files
    made_at: str
    made_by: str
    number: int = 0
    status: str = APPLYING
    token: int = 0  # the lease's, by which it was written
    reason: str = ""
    objects: tuple[dict[str, Any], ...] = field(default=(), repr=False)

    @property
    def called(self) -> str:
        """`release 7`; what was committed by hand has no number."""
        return f"release {self.number}" if self.number else "what was committed by hand"

    def summary(self) -> dict[str, Any]:
        """Everything but the manifests."""
        return {key: value for key, value in asdict(replace(self, objects=())).items() if key != "objects"}


def identity(objects: Iterable[Mapping[str, Any]]) -> str:
    """The name of a content, 12 hexadecimal digits."""
    return sha256(json.dumps(list(objects), sort_keys=True).encode()).hexdigest()[:12]


def name_of(number: int) -> str:
    """The record's name in the cluster."""
    return f"devenv-release-{number:05d}"


def read(kubectl: Kubectl, project: str) -> tuple[Release, ...]:
    """The project's releases in the namespace, newest first."""
    found = kubectl.items("secrets", "--selector", f"{RECORD}=release,{PROJECT}={project}")
    return tuple(sorted((_decode(one) for one in found), key=lambda one: one.number, reverse=True))


def create(kubectl: Kubectl, project: str, release: Release) -> None:
    """Write a record that must be new; raises CommandError where the number is taken."""
    kubectl.read("create", "--validate=ignore", "--filename", "-", stdin=json.dumps(_encode(project, release)))


def update(kubectl: Kubectl, release: Release) -> None:
    """Write what has become of a release."""
    said = b64encode(json.dumps(release.summary()).encode()).decode()
    kubectl.read("patch", "secret", name_of(release.number), "--type=merge", "--patch",
                 json.dumps({"data": {"release.json": said}}))


def forget(kubectl: Kubectl, releases: Iterable[Release]) -> None:
    """Delete the records of all but the newest, the deployed one always kept."""
    ordered = sorted(releases, key=lambda one: one.number, reverse=True)
    current = next((one.number for one in ordered if one.status == DEPLOYED), None)
    old = [name_of(one.number) for one in ordered[KEPT:] if one.number != current]
    if old:
        kubectl.read("delete", "secret", "--ignore-not-found", *old)


def _encode(project: str, release: Release) -> dict[str, Any]:
    packed = gzip.compress(json.dumps(release.objects).encode(), mtime=0)
    return {
        "apiVersion": "v1", "kind": "Secret", "type": _TYPE,
        "metadata": {"name": name_of(release.number), "labels": {RECORD: "release", PROJECT: project}},
        "data": {"release.json": b64encode(json.dumps(release.summary()).encode()).decode(),
                 "manifests.json.gz": b64encode(packed).decode()},
    }


def _decode(secret: Mapping[str, Any]) -> Release:
    said = json.loads(b64decode(secret["data"]["release.json"]))
    objects = json.loads(gzip.decompress(b64decode(secret["data"]["manifests.json.gz"])))
    images = {name: Image(**one) for name, one in said.pop("images").items()}
    return Release(**said, images=images, objects=tuple(objects))
