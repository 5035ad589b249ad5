"""The platform on Docker Compose: `up` as a list of steps, and the verbs that need no list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from devenv import output, ports
from devenv.compose import Compose, input_files
from devenv.engine import SERVICE_LABEL, Engine
from devenv.environment import RELOADER, ensure_secrets, environment, mentioned, write_by_hand
from devenv.errors import UsageError
from devenv.images.certificates import ca_bundle
from devenv.images.overlay import image_overlay
from devenv.images.resolve import Resolved, resolve
from devenv.images.wanted import wanted_images
from devenv.model import Model
from devenv.project import Project, write_whole
from devenv.runtimes import builds, record
from devenv.runtimes.data import check_data, remember_data
from devenv.runtimes.orphans import heal
from devenv.runtimes.reloading import reload_overlay
from devenv.runtimes.request import Request, was_as_built
from devenv.runtimes.seeding import seed_once
from devenv.runtimes.start import start_and_wait
from devenv.shell import Runner


@dataclass
class Up:
    """What the steps of `up` hand to each other."""

    project: Project
    runner: Runner
    engine: Engine
    request: Request
    sources: tuple[Path, ...] = ()
    compose: Compose = field(init=False)
    model: Model = field(init=False)
    # The model before anything of ours was laid over it: it has the image names that the project asks for.
    stated: Model = field(init=False)
    names: tuple[str, ...] = ()
    images: dict[str, Resolved] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def refresh(self) -> None:
        """Take the environment and the files as they are now."""
        variables = environment(self.project, self.sources, ca_bundle())
        self.compose = Compose(self.project, self.runner, variables, self.overlays())

    def overlays(self) -> tuple[Path, ...]:
        """The machine-written or chosen files laid over the project's own, as far as they exist by now."""
        candidates = [self.project.state / "images.yml"]
        if not self.request.as_built:
            own = self.project.root / "compose" / "reload.yml"
            candidates.append(own if own.is_file() else self.project.state / "reload.yml")
        return tuple(path for path in candidates if path.is_file())


def read_files(up: Up) -> None:
    """Read the Compose files."""
    record.forget(up.project)
    up.sources = input_files(up.project)
    ensure_secrets(up.project, up.engine)
    for name in ("images.yml", "reload.yml"):
        (up.project.state / name).unlink(missing_ok=True)
    up.refresh()
    up.model = up.stated = up.compose.model()
    up.names = up.model.select(up.request.services)


def check_ports(up: Up) -> None:
    """Check that the ports are free."""
    ports.check_free((up.model.services[name] for name in up.names), up.project.name, up.engine)


def find_images(up: Up) -> None:
    """Find third-party images: local, pulled, or built from packages."""
    wanted = wanted_images(up.model.data, up.names)
    up.images = resolve(wanted, engine=up.engine, runner=up.runner, offline=up.request.offline,
                        logs=up.project.state / "logs")
    check_data(up.project, up.engine, up.model, up.names, up.images)
    overlay = image_overlay(up.model.data, up.names, up.images, ca_bundle())
    write_whole(up.project.state / "images.yml", "# written by devenv\n" + json.dumps(overlay, indent=1) + "\n")
    write_by_hand(up.project, up.sources, up.compose.environment,
                  {name: one.reference for name, one in up.images.items()})
    up.refresh()
    for one in up.images.values():
        if one.source == "built" and not one.exact:
            up.notes.append(f"{one.wanted} is a stand-in: {one.product}")


def build_services(up: Up) -> None:
    """Build the services whose image is missing or out of date."""
    force = up.request.build or up.request.as_built
    stale = builds.stale(up.project, up.engine, up.model, up.names, force=force)
    if stale:
        output.say(f"  building {', '.join(stale)}")
        up.compose.log("build", "--profile", "*", "build", *stale)
        builds.remember(up.project, up.engine, up.model, stale)


def lay_reload(up: Up) -> None:
    """Lay live reload over the services."""
    own = up.project.root / "compose" / "reload.yml"
    if not up.request.as_built and not own.is_file():
        overlay, notes = reload_overlay(up.project, up.model, up.names, up.engine, RELOADER)
        up.notes += notes
        write_whole(up.project.state / "reload.yml", "# written by devenv\n" + json.dumps(overlay, indent=1) + "\n")
    up.refresh()
    up.model = up.compose.model()


def heal_orphans(up: Up) -> None:
    """Heal what an interrupted run left."""
    for line in heal(up.engine, up.project.name):
        output.say(f"  {line}")


def create(up: Up) -> None:
    """Create or replace containers that are not as the files say."""
    whole = [] if up.request.services else ["--remove-orphans"]
    up.compose.log("create", "up", "--no-start", "--no-build", "--pull", "never", *whole, *up.names)


def start(up: Up) -> None:
    """Start in order and wait until everything is usable."""
    start_and_wait(up.engine, up.project.name, up.model, up.names, up.project.config.timeout_s,
                   report=lambda name: output.say(f"  {name}"))


def seed(up: Up) -> None:
    """Load the demo data into a new platform."""
    if not up.request.services:
        seed_once(up.project, up.engine, up.compose, up.model)


def remember(up: Up) -> None:
    """Remember what runs."""
    remember_data(up.project, up.engine, up.stated, up.names, up.images)
    references = {one.reference for one in up.images.values()}
    references |= {str(builds.image_name(up.project, up.model.services[n])) for n in up.names
                   if up.model.services[n].is_built}
    images = {ref: found["Id"] for ref in sorted(references) if (found := up.engine.image(ref))}
    defining = [path for name in up.names for path in builds.definition_files(up.model.services[name])]
    extra = [up.project.root / "devenv.toml", up.project.root / ".env", up.project.state / "secrets.env",
             up.project.state / "checkout.json"]
    record.take(
        up.project, up.engine, up.request.key(), {*up.sources, *up.compose.overlays, *defining, *extra},
        mentioned(up.sources), up.names, {_tagged(ref): identity for ref, identity in images.items()},
        endpoints(up.model, up.names), next_command(up.model),
    )


BUILD = (read_files, find_images, build_services)
UP = (read_files, check_ports, find_images, build_services, lay_reload, heal_orphans, create, start, seed, remember)


def endpoints(model: Model, names: Sequence[str]) -> list[record.Endpoint]:
    """Where the services and backends can be reached from this machine."""
    return [
        record.Endpoint(name, f"http://localhost:{port.published}")
        for name in names for port in model.services[name].ports if port.protocol == "tcp"
    ]


def next_command(model: Model) -> str:
    """What a person types next."""
    return "devenv seed" if any(one.is_seed for one in model.services.values()) else "devenv logs -f"


def opened(project: Project, runner: Runner, as_built: bool | None = None, overlaid: bool = True) -> Compose:
    """Compose with the files of the last `up`, for commands that change nothing in them.

    `overlaid=False` leaves out everything that devenv lays over the project's own files.
    """
    sources = input_files(project)
    engine = Engine()
    ensure_secrets(project, engine)
    if as_built is None:
        last = record.load(project)
        as_built = bool(last and was_as_built(last.request))
    up = Up(project, runner, engine, Request(as_built=as_built), sources)
    up.refresh()
    return up.compose if overlaid else replace(up.compose, overlays=())


def down(project: Project, runner: Runner) -> None:
    """Stop and remove the containers and networks of this checkout; volumes stay."""
    record.forget(project)
    Engine().ping()
    # By name alone: it works even when the files are broken, which is when people want it most.
    runner.log("docker", "compose", "-p", project.name, "down", "--remove-orphans",
               log=project.state / "logs" / "down.log", cwd=project.state)


def data_volumes(project: Project, runner: Runner, backends: Sequence[str]) -> list[str]:
    """Names of the data volumes of `backends` (default: all of them); raises UsageError for one without data."""
    model = opened(project, runner).model()
    return sorted(str(model.data["volumes"][key]["name"]) for key in _volume_keys(model, backends))


def reset(project: Project, runner: Runner, engine: Engine, backends: Sequence[str]) -> None:
    """Delete the data volumes of `backends` (default: all of them).

    One-shots are removed too, so that the next `up` prepares the new data.
    """
    model = opened(project, runner).model()
    keys = _volume_keys(model, backends)
    record.forget(project)
    users = {name for name, one in model.services.items() if keys & set(one.volumes)} | model.one_shots
    for one in engine.containers(project.name):
        if one["Labels"].get(SERVICE_LABEL) in users:
            engine.delete(f"/containers/{one['Id']}", force=1)
    for key in keys:
        engine.delete(f"/volumes/{model.data['volumes'][key]['name']}")


def _volume_keys(model: Model, backends: Sequence[str]) -> set[str]:
    model.require(backends)
    chosen = tuple(backends) or tuple(name for name in model.backends if model.services[name].volumes)
    for name in chosen:
        if not model.services[name].volumes:
            raise UsageError(f"`{name}` keeps no data in a named volume", f"backends: {', '.join(model.backends)}")
    return {key for name in chosen for key in model.services[name].volumes}


def _tagged(reference: str) -> str:
    name = reference.rpartition("/")[2]
    return reference if ":" in name or "@" in name else f"{reference}:latest"
