"""A newer Compose than the machine's, as a further rival: built from Go modules when it is first wanted."""

from __future__ import annotations

import fcntl
import re
import sys
from pathlib import Path

from devenv.doctor.programs import folder
from devenv.engine import Engine
from devenv.images import recipes
from devenv.images.certificates import ca_bundle
from devenv.images.resolve import build_recipes
from devenv.shell import Runner

SOURCE = Path(__file__).parent / "compose"
VERSION = re.findall(r"docker/compose/v2 v(\S+)", (SOURCE / "go.mod").read_text())[0]
SCRIPT = '#!/bin/sh\nexec env DOCKER_CONFIG="{config}" docker "$@"\n'


def docker() -> str:
    """A `docker` whose Compose is the newer one, by a configuration folder of its own: nothing else changes."""
    home = folder().parent / f"compose-{VERSION}"
    plugins = home / "cli-plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (plugins / "docker-compose").exists():
            print(f"building Compose {VERSION} from Go modules into {plugins} (minutes) ...", file=sys.stderr)
            _build(plugins)
        script = home / "docker"
        script.write_text(SCRIPT.format(config=home))
        script.chmod(0o755)
    return str(script)


def _build(plugins: Path) -> None:
    runner, base, bundle = Runner(), recipes.load("python"), ca_bundle()
    build_recipes([base], engine=Engine(), runner=runner, logs=plugins.parent)
    runner.log(
        "docker", "build", "--progress", "plain", "--build-arg", f"DEVENV_BASE_PYTHON={base.reference}",
        *(["--secret", f"id=ca_bundle,src={bundle}"] if bundle else []),
        "--output", f"type=local,dest={plugins.parent / 'new'}", str(SOURCE),
        log=plugins.parent / "build.log", env={"DOCKER_BUILDKIT": "1", "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"},
    )
    # In one step: what another run finds under the name is whole.
    (plugins.parent / "new" / "docker-compose").replace(plugins / "docker-compose")
