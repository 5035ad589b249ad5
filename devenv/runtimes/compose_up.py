"""`up` on Docker Compose: the steps, in order, and what they hand to each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from devenv import output, ports
from devenv.compose import Compose, input_files
from devenv.engine import Engine
from devenv.environment import RELOADER, ensure_secrets, environment, mentioned
from devenv.images.bake import image_name
from devenv.images.certificates import ca_bundle
from devenv.images.resolve import Resolved, resolve
from devenv.images.wanted import wanted_images
from devenv.model import Model
from devenv.project import Project, write_whole
from devenv.runtimes import builds, record, runtime
from devenv.runtimes.data import check_data, remember_data
from devenv.runtimes.found_images import FILE as IMAGES_FILE
from devenv.runtimes.found_images import stand_in_notes, write_found
from devenv.runtimes.holdings import refuse_half_restored
from devenv.runtimes.orphans import heal
from devenv.runtimes.reloading import reload_overlay
from devenv.runtimes.request import Request
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
        candidates = [self.project.state / IMAGES_FILE]
        if not self.request.as_built:
            own = self.project.root / "compose" / "reload.yml"
            candidates.append(own if own.is_file() else self.project.state / "reload.yml")
        return tuple(path for path in candidates if path.is_file())


def read_files(up: Up) -> None:
    """Read the Compose files."""
    record.forget(up.project)
    refuse_half_restored(up.project)
    up.sources = input_files(up.project)
    ensure_secrets(up.project, up.engine)
    for name in (IMAGES_FILE, "reload.yml"):
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
    write_found(up.project, up.sources, up.compose.environment, up.model, up.names, up.images)
    up.refresh()
    up.notes += stand_in_notes(up.images)


def build_services(up: Up) -> None:
    """Build the services whose image is missing or out of date."""
    exact = up.request.as_built and not up.request.built
    builds.build_stale(up.compose, up.engine, up.model, up.names, force=up.request.build, exact=exact)


def lay_reload(up: Up) -> None:
    """Lay live reload over the services."""
    if up.request.as_built:
        return  # nothing but images was laid over the files, and what was read of them still holds
    own = up.project.root / "compose" / "reload.yml"
    if not own.is_file():
        overlay, notes = reload_overlay(up.project, up.model, up.names, up.engine, RELOADER)
        up.notes += notes
        write_whole(up.project.state / "reload.yml", "# written by devenv\n" + record.dumps(overlay))
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
    runtime.remember(up.project, runtime.COMPOSE)
    remember_data(up.project, up.engine, up.stated, up.names, up.images)
    references = {one.reference for one in up.images.values()}
    references |= {str(image_name(up.project, up.model.services[n])) for n in up.names
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


def _tagged(reference: str) -> str:
    name = reference.rpartition("/")[2]
    return reference if ":" in name or "@" in name else f"{reference}:latest"
