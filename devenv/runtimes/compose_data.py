"""The data of the backends on Docker Compose: named volumes, copied while nothing runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from devenv import output
from devenv.engine import PROJECT_LABEL, Engine, EngineError, Sink
from devenv.errors import DevenvError
from devenv.images.resolve import look
from devenv.model import Model
from devenv.project import Project
from devenv.runtimes.containers import observe
from devenv.runtimes.holdings import LABEL, Holding, fill_volume, holdings_of, pack_volume
from devenv.runtimes.opening import opened
from devenv.runtimes.start import start_and_wait
from devenv.shell import Runner

VOLUME_LABEL = "com.docker.compose.volume"


@dataclass(frozen=True)
class ComposeData:
    """The named volumes of one checkout's backends."""

    project: Project
    runner: Runner
    engine: Engine

    @cached_property
    def model(self) -> Model:
        """The project's own files, with the images that they name."""
        return opened(self.project, self.runner, overlaid=False).model()

    def holdings(self) -> list[Holding]:
        """One for each named volume of a backend."""
        return holdings_of(self.model, lambda key: str(self.model.data["volumes"][key]["name"]))

    @contextmanager
    def still(self) -> Iterator[None]:
        """Nothing runs inside the block; what ran runs again after it, also after a failure."""
        seen = observe(self.engine, self.project.name)
        ran = [name for name, containers in seen.items() if any(one.state == "running" for one in containers)]
        if not ran:
            yield
            return
        with output.step("Stop the platform, so that all data is of one moment"):
            self._call("stop")
        try:
            yield
        finally:
            model = opened(self.project, self.runner).model()
            order = [name for name in model.select(ran) if name in ran]
            with output.step("Start it again"):
                # By name: to the wait alone, what has ended well and is not to be restarted has done its work.
                self._call("start", *order)
                start_and_wait(self.engine, self.project.name, model, order, self.project.config.timeout_s)

    def pack(self, holding: Holding, sink: Sink) -> None:
        """Write a volume's content to `sink`; raises DevenvError where there is no volume."""
        if self._volume(holding.place) is None:
            raise DevenvError(f"`{holding.backend}` has no data yet: volume `{holding.place}` is not there",
                              "devenv up")
        pack_volume(self.engine, self.project.name, holding, self._image(holding), sink)

    def replace(self, holding: Holding, archive: Path) -> None:
        """Make the volume anew, with what is in the archive."""
        image = self._image(holding)
        known = self._volume(holding.place)
        labels = known["Labels"] if known else {PROJECT_LABEL: self.project.name, VOLUME_LABEL: self._key(holding)}
        body = {"Name": holding.place, "Labels": labels, "Driver": known["Driver"] if known else "local",
                "DriverOpts": (known or {}).get("Options") or {}}
        self.engine.delete(f"/volumes/{holding.place}")
        self.engine.post("/volumes/create", body)
        fill_volume(self.engine, {LABEL: self.project.name}, holding, image, archive)

    def _call(self, verb: str, *names: str) -> None:
        self.runner.log("docker", "compose", "-p", self.project.name, verb, *names,
                        log=self.project.state / "logs" / f"{verb}.log", cwd=self.project.state)

    def _volume(self, name: str) -> dict[str, dict[str, str]] | None:
        try:
            found: dict[str, dict[str, str]] = self.engine.get(f"/volumes/{name}")
        except EngineError as refusal:
            if refusal.status == 404:
                return None
            raise
        return found

    def _key(self, holding: Holding) -> str:
        return next(str(key) for key, one in self.model.data["volumes"].items() if one["name"] == holding.place)

    def _image(self, holding: Holding) -> str:
        found = look(holding.image, self.engine)
        if not found.image_id:
            raise DevenvError(f"no image `{holding.image}` of `{holding.backend}` is on this machine", "devenv images")
        return found.image_id
