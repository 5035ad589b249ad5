"""What the project's Compose files define, read by Compose once and remembered until one of its inputs changes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from devenv import __version__
from devenv.engine import Engine
from devenv.errors import UsageError, nearest
from devenv.model import Model, Service
from devenv.project import COMPOSE_NAMES, Project, write_whole
from devenv.runtimes.record import hash_files, hash_variables

if TYPE_CHECKING:
    from devenv.testing.seeded import Seed

FILE = Path("testing", "plan.json")


@dataclass(frozen=True)
class Plan:
    """The project's services and backends, with the kind of each backend."""

    project: Project
    model: Model
    kinds: Mapping[str, str]
    seed: Seed | None = None  # the data that sets begin with

    @cached_property
    def hash(self) -> str:
        """Changes with the definition of any backend, and with the seed; services have a hash of their own each."""
        made_of = [*map(self.hash_of, self.model.backends), self.seed.hash if self.seed else ""]
        return sha256("".join(made_of).encode()).hexdigest()[:8]

    def hash_of(self, name: str) -> str:
        """Changes with whatever of the definition a container is made from."""
        definition = {key: value for key, value in self.definition(name).items() if key not in ("build", "develop")}
        made_of = [__version__, name, definition, self.model.data.get("secrets"), self.model.data.get("configs")]
        return sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()

    def definition(self, name: str) -> Mapping[str, Any]:
        """The Compose definition of a service or backend."""
        return self.model.services[name].definition

    def environment(self, name: str) -> dict[str, str]:
        """Its environment; a variable without a value is one that Compose found unset."""
        entries = self.definition(name).get("environment") or {}
        return {key: str(value) for key, value in entries.items() if value is not None}

    def service(self, name: str) -> Service:
        """A service of this repository; raises UsageError, with a suggestion, for any other name."""
        self.model.require([name])
        if not self.model.services[name].is_built:
            raise UsageError(f"`{name}` is a backend, not a service", f'ask for `devenv_backend("{name}")`')
        return self.model.services[name]

    def backend(self, name: str) -> Service:
        """A backend; raises UsageError, with a suggestion, for any other name."""
        if name not in self.model.services:
            hint = nearest(name, self.model.backends) or f"backends: {', '.join(self.model.backends) or 'none'}"
            raise UsageError(f"no backend is named `{name}`", hint)
        if self.model.services[name].is_built:
            raise UsageError(f"`{name}` is a service, not a backend", f'ask for `devenv_service("{name}")`')
        return self.model.services[name]

    def of_kind(self, kind: str) -> str:
        """The name of the one backend of this kind; raises UsageError where there is none, or a choice."""
        found = [name for name, one in self.kinds.items() if one == kind]
        if kind in found:
            return kind
        if len(found) == 1:
            return found[0]
        if found:
            raise UsageError(f"there are several backends of kind `{kind}`: {', '.join(found)}",
                             f'ask for one: `devenv_backend("{found[0]}")`')
        raise UsageError(
            f"`{self.project.compose_file.name}` has no backend of kind `{kind}`",
            f"backends: {', '.join(self.model.backends) or 'none'}; "
            f"`x-devenv: {{kind: {kind}}}` says what one is where its image does not",
        )


def load(project: Project, engine: Engine) -> Plan:
    """The plan as remembered, or read anew; raises UsageError for files that Compose refuses."""
    data = _remembered(project)
    if data is None:
        from devenv.lock import locked

        with locked(project.state, "pytest"):
            # Another worker may have read it while this one waited.
            data = _remembered(project) or _read(project, engine)
    return Plan(project, Model(data["model"]), data["kinds"])


def _remembered(project: Project) -> dict[str, Any] | None:
    try:
        data: dict[str, Any] = json.loads((project.state / FILE).read_text())
        same = (
            data["version"] == __version__
            and hash_files(map(Path, data["inputs"])) == data["inputs"]
            and hash_variables(data["variables"]) == data["variables"]
        )
    except (OSError, ValueError, KeyError):
        return None
    return data if same else None


def _read(project: Project, engine: Engine) -> dict[str, Any]:
    from devenv.compose import Compose, input_files
    from devenv.environment import ensure_secrets, environment, mentioned
    from devenv.images.certificates import ca_bundle
    from devenv.shell import Runner
    from devenv.testing.kinds import kind_of

    sources = input_files(project)
    ensure_secrets(project, engine)
    variables = environment(project, sources, ca_bundle())
    model = Model(_unescaped(Compose(project, Runner(), variables).model().data))
    kinds = {name: kind_of(name, model.services[name].definition) for name in model.backends}
    # A file that appears later counts too: overrides, and what the variables are read from.
    appearing = [project.root / name.replace("compose.", "compose.override.") for name in COMPOSE_NAMES]
    appearing += [project.root / ".env", project.root / "devenv.toml", project.state / "secrets.env",
                  project.state / "checkout.json"]
    data = {
        "version": __version__,
        "inputs": hash_files([*sources, *appearing]),
        "variables": hash_variables({*mentioned(sources), "COMPOSE_PROFILES"}),
        "kinds": kinds,
        "model": model.data,
    }
    path = project.state / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    # Readable by its owner alone: the environments hold passwords.
    write_whole(path, json.dumps(data), mode=0o600)
    return data


def _unescaped(value: Any) -> Any:
    """`docker compose config` writes `$` as `$$`, so that its output can be read again."""
    if isinstance(value, str):
        return value.replace("$$", "$")
    if isinstance(value, dict):
        return {key: _unescaped(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_unescaped(one) for one in value]
    return value
