"""What a receipt says, and how it is written: JSON whose meaning is counted by `version`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from typing import Any

VERSION = 1
LOCAL, SSH = "local", "ssh"


@dataclass(frozen=True)
class Image:
    """The image of a service that was run."""

    image_id: str  # the config's digest: what ran, whether or not it was ever pushed
    reference: str
    platform: str  # linux/amd64


@dataclass(frozen=True)
class Backend:
    """The image of a backend that the services were tested on."""

    image_id: str
    reference: str
    source: str  # local, pulled or built
    stand_in: bool  # another product or version than production will have


@dataclass(frozen=True)
class Suite:
    """How one suite ended."""

    name: str
    passed: int
    failed: int
    skipped: int
    seconds: float
    # Of the skipped ones, those with a reason that devenv.toml allows.
    skips_allowed: int = 0

    @property
    def shortfall(self) -> str:
        """Why this is no pass; empty where it is one."""
        if self.failed:
            return f"failed ({self.failed} of {self.passed + self.failed} tests)"
        if not self.passed:
            return f"ran no test ({self.skipped} skipped)" if self.skipped else "ran no test"
        unexcused = self.skipped - self.skips_allowed
        return f"skipped {unexcused} test{'s' * (unexcused != 1)}" if unexcused else ""


@dataclass(frozen=True)
class Signature:
    """Who vouches for a receipt: nobody but this machine (`local`), or the holder of an SSH key."""

    kind: str = LOCAL
    key_id: str = ""  # SHA256:..., as ssh-keygen prints it
    value: str = ""


@dataclass(frozen=True)
class Receipt:
    """A green run of suites on a set of images."""

    project: str
    made_at: str  # UTC, ISO 8601
    commit: str  # empty outside of git
    dirty: bool
    images: Mapping[str, Image]
    backends: Mapping[str, Backend]
    manifests: Mapping[str, str]  # overlay -> hash of the files that people wrote for it
    suites: tuple[Suite, ...]
    tools: Mapping[str, str]
    # Hash of the working tree's content at the time.
    tree: str = ""
    signature: Signature = field(default_factory=Signature)

    @cached_property
    def text(self) -> str:
        """What is signed: everything but the signature, in the one way there is to write it."""
        content = {key: value for key, value in asdict(self).items() if key != "signature"}
        return json.dumps({"version": VERSION, **content}, sort_keys=True, separators=(",", ":")) + "\n"

    @cached_property
    def id(self) -> str:
        """Names the content: another byte anywhere makes another id."""
        return sha256(self.text.encode()).hexdigest()

    def signed(self, signature: Signature) -> Receipt:
        """The same with a signature."""
        return replace(self, signature=signature)

    def to_json(self) -> str:
        """The file's content."""
        signature = {key: value for key, value in asdict(self.signature).items() if value}
        data = {"version": VERSION, "id": self.id, **json.loads(self.text), "signature": signature}
        return json.dumps(data, indent=1) + "\n"


def parse(text: str) -> Receipt:
    """A receipt from its file; raises ValueError that says what is wrong with it."""
    try:
        data: dict[str, Any] = json.loads(text)
        if data.pop("version") != VERSION:
            raise ValueError("it is of another version of devenv")
        identity = data.pop("id")
        receipt = Receipt(**{
            **data,
            "images": {name: Image(**one) for name, one in data["images"].items()},
            "backends": {name: Backend(**one) for name, one in data["backends"].items()},
            "suites": tuple(Suite(**one) for one in data["suites"]),
            "signature": Signature(**data["signature"]),
        })
    except (KeyError, TypeError, AttributeError) as cause:
        raise ValueError(f"it is no receipt: {cause}") from None
    if receipt.id != identity:
        raise ValueError("it was changed after it was written")
    return receipt
