"""`terraform` for one folder: which version, init, plan, apply, outputs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from devenv.errors import CommandError, DevenvError
from devenv.project import write_whole
from devenv.shell import Runner
from devenv.terraform import diagnostics, providers

# Write-only arguments and the S3 backend's own lock file are as old as this.
OLDEST = (1, 11)
TIMEOUT_S = 900.0
# In a plan's outputs, in place of what only an apply tells.
UNKNOWN = "(known after apply)"


@dataclass(frozen=True)
class Change:
    """One resource that a plan changes, and how: `create`, `update`, `delete`, or two of them for a replacement."""

    address: str
    actions: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """A saved plan: the file that `apply` takes, and what `show -json` says of it, unless it is of nothing."""

    file: Path
    shown: Mapping[str, Any] = field(repr=False)

    @property
    def changes(self) -> tuple[Change, ...]:
        """The resources that would be changed, by address."""
        listed = ((one["address"], tuple(one["change"]["actions"])) for one in self.shown.get("resource_changes", ()))
        return tuple(Change(*one) for one in sorted(listed) if one[1] not in (("no-op",), ("read",)))

    @property
    def empty(self) -> bool:
        """Whether there is nothing to apply: no resource and no output changes."""
        outputs = self.shown.get("output_changes", {}).values()
        return not self.changes and all(one["actions"] == ["no-op"] for one in outputs)

    @property
    def outputs(self) -> dict[str, Any]:
        """The outputs as they will be, name -> value; what only an apply tells is UNKNOWN, or has it inside."""
        return {name: _planned(one.get("after"), one.get("after_unknown"))
                for name, one in self.shown.get("output_changes", {}).items() if one["actions"] != ["delete"]}


@dataclass(frozen=True)
class Terraform:
    """The program, bound to a folder of `*.tf` and to a folder for its working data."""

    runner: Runner
    folder: Path
    data: Path
    # Added to the environment: for instance `rehearsal.environment(...)`.
    extra: Mapping[str, str] = field(default_factory=dict)

    def version(self) -> tuple[int, ...]:
        """The program's version; raises DevenvError where it is not installed."""
        said = json.loads(self.runner.read("terraform", "version", "-json", env={"CHECKPOINT_DISABLE": "1"}))
        return tuple(int(part) for part in said["terraform_version"].split("-")[0].split("."))

    def require(self) -> None:
        """Raise DevenvError unless the program is there and new enough."""
        found = self.version()
        if found < OLDEST:
            ours, needed = (".".join(map(str, version)) for version in (found, OLDEST))
            raise DevenvError(f"terraform {ours} is too old: the files need {needed} or newer",
                              "https://developer.hashicorp.com/terraform/install has newer ones")

    def init(self, backend: Mapping[str, str] | None = None) -> None:
        """Get providers and link modules, as the lock file says; does nothing where nothing has changed since."""
        settings = dict(backend or {})
        if self._stamp.exists() and self._stamp.read_text() == self._fingerprint(settings):
            return
        self._read(
            # -reconfigure: the data are ours, so another backend means another state, never a migration.
            "init", "-input=false", "-no-color", "-lockfile=readonly", "-reconfigure",
            *(f"-backend-config={key}={value}" for key, value in settings.items()),
        )
        write_whole(self._stamp, self._fingerprint(settings))

    def plan(self, *words: str) -> Plan:
        """Plan and save it; raises LockedError where somebody holds the state, else DevenvError with what is wrong."""
        file = self.data / "saved.plan"
        said = self._read("plan", "-json", "-input=false", f"-out={file}", *words)
        file.chmod(0o600)
        # Showing a plan starts every provider once more, which takes seconds: for a plan of nothing, for nothing.
        return Plan(file, {} if _is_of_nothing(said) else json.loads(self._read("show", "-json", str(file))))

    def apply(self, plan: Plan, log: Path | None = None) -> None:
        """Apply exactly that plan; its progress is streamed to standard error, or goes into a file."""
        argv = self._argv("apply", "-input=false", "-no-color", str(plan.file))
        if log is None:
            self.runner.run(*argv, env=self.environment())
        else:
            self.runner.log(*argv, log=log, env=self.environment())

    def destroy(self, *words: str) -> None:
        """Destroy everything in the state, without a question; streamed like `apply`."""
        self.runner.run(
            *self._argv("destroy", "-auto-approve", "-input=false", "-no-color", *words), env=self.environment()
        )

    def outputs(self) -> dict[str, Any]:
        """The outputs of the last apply, name -> value."""
        return {name: one["value"] for name, one in json.loads(self._read("output", "-json")).items()}

    def environment(self) -> dict[str, str]:
        """What is added to the environment of each call."""
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        return {
            "TF_DATA_DIR": str(self.data),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
            # Providers' schemas are garbage soon after each start; collecting it less often takes a third less time.
            "GOGC": "400",
            **providers.source(self.folder, self.data),
            **self.extra,
        }

    def _argv(self, *words: str) -> tuple[str, ...]:
        return ("terraform", f"-chdir={self.folder}", *words)

    def _read(self, *words: str) -> str:
        try:
            return self.runner.read(*self._argv(*words), env=self.environment(), timeout_s=TIMEOUT_S)
        except CommandError as failure:
            raise diagnostics.explain(failure, self.folder) from None

    @property
    def _stamp(self) -> Path:
        return self.data / "initialised"

    def _fingerprint(self, backend: Mapping[str, str]) -> str:
        """What `init` depends on: the backend, the locked providers, and the text of every module in use."""
        digest = sha256(json.dumps(backend, sort_keys=True).encode())
        try:
            modules = json.loads((self.data / "modules" / "modules.json").read_text())["Modules"]
        except (OSError, ValueError, KeyError):
            modules = []
        folders = sorted({".", *(one["Dir"] for one in modules)})
        for file in [self.folder / ".terraform.lock.hcl",
                     *(file for folder in folders for file in sorted((self.folder / folder).glob("*.tf")))]:
            digest.update(f"{file}\0".encode())
            digest.update(file.read_bytes() if file.is_file() else b"")
        return digest.hexdigest()


def _planned(after: Any, unknown: Any) -> Any:
    """A planned value, with UNKNOWN wherever `unknown` says true. Source: Terraform's JSON output format, `change`."""
    if unknown is True:
        return UNKNOWN
    if isinstance(unknown, dict):
        known = after or {}
        return {key: _planned(known.get(key), unknown.get(key)) for key in {**known, **unknown}}
    return after


def _is_of_nothing(said: str) -> bool:
    """Whether `terraform plan -json` has counted no change, of resources or outputs (its message types' reference)."""
    messages = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    counted = [one["changes"] for one in messages if one.get("type") == "change_summary"]
    outputs = [each for one in messages if one.get("type") == "outputs" for each in one["outputs"].values()]
    return bool(counted) and not any(one[kind] for one in counted for kind in ("add", "change", "remove")) and all(
        each["action"] == "noop" for each in outputs)
