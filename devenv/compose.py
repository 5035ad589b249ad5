"""Docker Compose, called the way a person would, with the files and the environment of one checkout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devenv.errors import CommandError, UsageError
from devenv.model import Model
from devenv.project import Project
from devenv.shell import Runner

# Merged by plain `docker compose` too, when it lies beside the main file.
_OVERRIDES = {
    "compose.yaml": ("compose.override.yaml", "compose.override.yml"),
    "compose.yml": ("compose.override.yml", "compose.override.yaml"),
    "docker-compose.yaml": ("docker-compose.override.yaml", "docker-compose.override.yml"),
    "docker-compose.yml": ("docker-compose.override.yml", "docker-compose.override.yaml"),
}


@dataclass(frozen=True)
class Compose:
    """`docker compose` for one checkout; `overlays` are laid over the project's own files."""

    project: Project
    runner: Runner
    environment: Mapping[str, str]
    overlays: tuple[Path, ...] = ()

    def argv(self, *arguments: str) -> tuple[str, ...]:
        """The whole command line, ready to paste."""
        files = (*own_files(self.project), *self.overlays)
        named = (part for file in files for part in ("-f", str(file)))
        return ("docker", "compose", "--project-directory", str(self.project.root), "-p", self.project.name,
                *named, *arguments)

    def model(self) -> Model:
        """What Compose makes of the files; raises UsageError with file and line for a broken one."""
        try:
            # All profiles: a service outside the usual set can still be named on the command line.
            # YAML, because Compose's JSON leaves out all `x-` keys.
            text = self.runner.read(*self.argv("--profile", "*", "config"), env=self.environment)
        except CommandError as failure:
            raise _explain(self.project, failure) from None
        import yaml

        data: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        return Model(data)

    def log(self, name: str, *arguments: str) -> None:
        """Run with the output in `.devenv/logs/<name>.log`."""
        log = self.project.state / "logs" / f"{name}.log"
        self.runner.log(*self.argv(*arguments), log=log, env=self.environment)

    def call(self, *arguments: str) -> int:
        """Run with the terminal passed through; returns the exit code."""
        return self.runner.call(*self.argv(*arguments), env=self.environment)


def own_files(project: Project) -> tuple[Path, ...]:
    """The project's Compose file and its override, as plain `docker compose` would take them."""
    main = project.compose_file
    overrides = (main.with_name(name) for name in _OVERRIDES[main.name])
    return (main, *[file for file in overrides if file.is_file()][:1])


def input_files(project: Project) -> tuple[Path, ...]:
    """Every YAML and environment file that the definition is made from; raises UsageError for broken YAML."""
    found: dict[Path, None] = {}

    def visit(file: Path) -> None:
        file = file.resolve()
        if file in found or not file.is_file():
            return
        found[file] = None
        if file.suffix not in (".yml", ".yaml"):
            return
        data = load_yaml(file)
        for entry in data.get("include") or []:
            paths = entry if isinstance(entry, str) else entry.get("path", [])
            for path in [paths] if isinstance(paths, str) else paths:
                visit(file.parent / path)
        for service in (data.get("services") or {}).values():
            service = service if isinstance(service, dict) else {}
            extends = service.get("extends")
            if isinstance(extends, dict) and extends.get("file"):
                visit(file.parent / extends["file"])
            files = service.get("env_file") or []
            for entry in [files] if isinstance(files, (str, dict)) else files:
                visit(file.parent / (entry if isinstance(entry, str) else entry["path"]))

    for file in (*own_files(project), project.root / "compose" / "reload.yml"):
        visit(file)
    return tuple(found)


def load_yaml(file: Path) -> dict[str, Any]:
    """One YAML file as a mapping; raises UsageError that names the file and the line."""
    import yaml

    try:
        data = yaml.load(file.read_bytes(), Loader=_tolerant_loader())
    except yaml.MarkedYAMLError as cause:
        mark = cause.problem_mark
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else str(file)
        raise UsageError(f"{where}: broken YAML: {cause.problem}", "mend that line, then try again") from None
    except (yaml.YAMLError, UnicodeDecodeError) as cause:
        raise UsageError(f"{file}: broken YAML: {cause}", "save it as UTF-8 text, then try again") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise UsageError(f"{file}: a Compose file is a mapping, and this one is a {type(data).__name__}")
    return data


def _tolerant_loader() -> Any:
    """A safe loader that passes over Compose's own tags (`!reset`, `!override`)."""
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        pass

    Loader.add_multi_constructor("!", lambda loader, suffix, node: None)
    return Loader


def _explain(project: Project, failure: CommandError) -> UsageError:
    """Compose's refusal of a file, preceded by our own look at the YAML, which knows the line."""
    input_files(project)
    reason = failure.output.splitlines()[-1] if failure.output else f"exit code {failure.status}"
    return UsageError(f"Compose refuses the files of `{project.root}`: {reason}",
                      f"mend the Compose file ({', '.join(str(file) for file in own_files(project))})")
