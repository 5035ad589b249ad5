"""The variables that the Compose files are filled in with: secrets, ports, and where things are.

`.devenv/secrets.env` holds the generated secrets. `.env` repeats everything for those who run
`docker compose` by hand; it is written only where no people-owned `.env` is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from secrets import token_hex

from devenv.engine import Engine
from devenv.errors import DevenvError
from devenv.project import Project, write_whole

HEADER = "# written by devenv; do not edit: it is replaced at the next `devenv up`\n"
# Mounted from the installed package; its place depends on where that is.
RELOADER = str(Path(__file__).parent / "reload")
_PORT = re.compile(r"\$\{([A-Z][A-Z0-9_]*_PORT):-(\d+)\}")
_IMAGE = re.compile(r"\$\{(DEVENV_IMAGE_[A-Z0-9_]+):-([^}]+)\}")
_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")


def environment(project: Project, sources: Iterable[Path], ca_bundle: Path | None) -> dict[str, str]:
    """The variables for every call of Compose in this checkout; what the person has set wins."""
    text = _text(sources)
    ours = {
        "COMPOSE_PROJECT_NAME": project.name,
        "DEVENV_RELOAD": RELOADER,
        **read_env(project.state / "secrets.env"),
        **ports(text, project.checkout.port_offset),
    }
    if ca_bundle:
        ours["DEVENV_CA_BUNDLE"] = str(ca_bundle)
    # `.env` is ours or theirs: ours holds image variables, which would hide what the files ask for.
    hidden = {name: "" for name, _ in _IMAGE.findall(text)} if is_ours(project.root / ".env") else {}
    return {**hidden, **{k: v for k, v in ours.items() if k not in os.environ or k == "COMPOSE_PROJECT_NAME"}}


def ports(text: str, offset: int) -> dict[str, str]:
    """`X_PORT` variables with a numeric default, moved by this checkout's offset."""
    return {name: str(int(default) + offset) for name, default in _PORT.findall(text)} if offset else {}


def ensure_secrets(project: Project, engine: Engine) -> None:
    """Give every secret of `devenv.toml` a value; refuses to make new ones for data that has old ones."""
    path = project.state / "secrets.env"
    known = read_env(path)
    by_hand = read_env(project.root / ".env")
    missing = [name for name in project.config.secrets if not (known.get(name) or os.environ.get(name))]
    found = {name: by_hand[name] for name in missing if by_hand.get(name)}
    lost = [name for name in missing if name not in found]
    # With other secrets still known, a missing one is new in devenv.toml, and no data depends on it yet.
    if lost and not known and engine.volumes(project.name):
        raise DevenvError(
            f"the secrets of this checkout are gone (`{path}`), but its data was made with them",
            "restore that file or `.env`, or delete the data with `devenv reset --data`",
        )
    made = {name: project.config.secrets[name] + token_hex(20) for name in lost}
    if found or made:
        _write_env(path, {**known, **found, **made})


def write_by_hand(project: Project, sources: Iterable[Path], variables: Mapping[str, str],
                  images: Mapping[str, str]) -> None:
    """Write `.env` for `docker compose` without devenv; `images` maps a wanted reference to the one in use."""
    path = project.root / ".env"
    if path.exists() and not is_ours(path):
        return
    pointed = {name: images[wanted] for name, wanted in _IMAGE.findall(_text(sources)) if wanted in images}
    lines = {**{k: v for k, v in variables.items() if v}, **pointed}
    text = HEADER + "".join(f"{name}={value}\n" for name, value in sorted(lines.items()))
    if not path.exists() or path.read_text() != text:
        write_whole(path, text, mode=0o600)


def read_env(path: Path) -> dict[str, str]:
    """The `NAME=value` lines of a file; none where there is no file."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.partition("=") for line in lines if "=" in line and not line.lstrip().startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}


def mentioned(sources: Iterable[Path]) -> set[str]:
    """Names of all variables that the files mention."""
    return set(_VARIABLE.findall(_text(sources)))


def is_ours(path: Path) -> bool:
    """Whether devenv wrote this file."""
    try:
        return path.read_text().startswith(HEADER)
    except (OSError, UnicodeDecodeError):
        return False


def _write_env(path: Path, values: Mapping[str, str]) -> None:
    path.parent.mkdir(exist_ok=True)
    text = "# written by devenv: the secrets of this checkout's data; keep it as long as the data\n"
    write_whole(path, text + "".join(f"{name}={value}\n" for name, value in values.items()), mode=0o600)


def _text(sources: Iterable[Path]) -> str:
    return "\n".join(path.read_text(errors="replace") for path in sources if path.suffix in (".yml", ".yaml"))
