"""The shape of the package: which way imports point, who starts processes, how large a module is."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "devenv"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "recipes" not in path.parts)

# From the ground up: a module imports from its own layer's package or from below.
LAYERS = (
    {"errors"},
    {"shell", "config", "output", "wire"},
    {"project", "steps", "engine", "lock", "model", "kubernetes"},
    {"environment", "compose", "ports", "tls", "terraform"},
    {"images"},
    {"doctor", "parity"},
    {"runtimes"},
    {"receipts", "snapshots"},
    {"supply"},
    {"testing", "promotion", "chart"},
    {"suites", "rehearsal"},
    {"cli"},
)
# Runs inside users' containers: the standard library only.
STANDALONE = {"reload"}


def part(name):
    """`devenv.images.resolve` -> `images`."""
    words = name.split(".")
    return words[1] if len(words) > 1 else ""


def level(name):
    return next((number for number, layer in enumerate(LAYERS) if name in layer), None)


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            if node.module == "devenv":
                yield from (f"devenv.{alias.name}" for alias in node.names if alias.name != "__version__")
            else:
                yield node.module


def home(path):
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path):
    here = home(path)
    if here in ("__init__", "__main__"):
        return
    ours = [name for name in imports(path) if name.startswith("devenv.")]
    if here in STANDALONE:
        assert {part(name) for name in ours} <= {here}
        return
    assert level(here) is not None, f"{here} has no layer: give it one in {__file__}"
    for name in ours:
        there = part(name)
        assert there == here or level(there) < level(here), f"{here} imports {name}, which stands beside or above it"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_shell_starts_processes_and_only_the_edge_knows_click_and_rich(path):
    names = {name.split(".")[0] for name in imports(path)}
    if home(path) not in {"shell", *STANDALONE}:
        assert "subprocess" not in names
    if home(path) not in {"cli", "output"}:
        assert not names & {"click", "rich"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_are_small(path):
    assert len(path.read_text().splitlines()) <= 300, "it is two things: split it"


def test_the_toolkit_names_no_service_of_the_platform():
    services = "|".join(sorted(path.parent.name for path in (ROOT / "services").glob("*/Dockerfile")))
    assert services
    for path in MODULES:
        text = path.read_text().replace("sockets=", "")  # uvicorn's own keyword
        assert not re.search(rf"\b({services})\b", text), f"{path} names a service"


def test_every_test_can_be_collected():
    """Those too that `make test` leaves to targets of their own: they break in silence when what they import moves."""
    done = subprocess.run([sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"], cwd=ROOT,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
