"""A checkout of this repository for the tests alone: its own containers, ports and data, beside the developer's."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Checkout:
    """A copy of the working tree, and `devenv` run in it the way a person would."""

    def __init__(self, root: Path, port_offset: int) -> None:
        self.root = root
        self.port_offset = port_offset
        self.urls: dict[str, str] = {}

    def run(self, *words, check=True, timeout_s=900, **environment):
        done = subprocess.run(
            self.argv(*words), cwd=self.root, env={**clean_environment(), **environment}, capture_output=True,
            text=True, timeout=timeout_s, check=False,
        )
        if check and done.returncode:
            said = f"{done.stdout}\n{done.stderr}"
            raise AssertionError(f"`devenv {' '.join(words)}` exited with {done.returncode}:\n{said}")
        return done

    def start(self, *words, **environment):
        """Start `devenv` and return the process; the caller waits for it or kills it."""
        return subprocess.Popen(self.argv(*words), cwd=self.root, env={**clean_environment(), **environment},
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def argv(self, *words):
        return [sys.executable, "-m", "devenv", *words]

    def json(self, *words, **environment):
        return json.loads(self.run(*words, "--json", **environment).stdout)

    def up(self, *words):
        answer = self.json("up", "--port-offset", str(self.port_offset), *words)
        self.urls = {one["service"]: one["url"] for one in answer["endpoints"]}
        return answer

    def status(self):
        return {one["service"]: one for one in self.json("status")["services"]}

    @property
    def name(self):
        return json.loads((self.root / ".devenv" / "checkout.json").read_text())["name"]

    def container(self, service):
        return self.status()[service]["instances"][0]["id"]

    def secret(self, name):
        lines = (self.root / ".devenv" / "secrets.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)[name]

    def remove(self):
        """Everything this checkout made: containers, networks, volumes, images."""
        self.run("down", check=False)
        project = f"label=com.docker.compose.project={self.name}"
        for volume in docker("volume", "ls", "-q", "--filter", project).split():
            docker("volume", "rm", "-f", volume)
        # By name: the same image may bear the names of other checkouts too.
        for image in docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", f"{self.name}-*").split():
            docker("image", "rm", image, check=False)


def copy_of_the_working_tree(target: Path) -> Path:
    """What git tracks and what it does not ignore, as it is now."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        source = ROOT / name
        if source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)
    return target


def docker(*words, check=True):
    return subprocess.run(["docker", *words], check=check, capture_output=True, text=True).stdout.strip()


def clean_environment():
    """Ours without what pytest or a developer's shell adds for this project."""
    added = ("COMPOSE_", "DEVENV_IMAGE_", "DEVENV_TEST_", "PYTEST_")
    return {name: value for name, value in os.environ.items()
            if not name.startswith(added) and not name.endswith("_URL")}
