"""What an image is built from, as one fingerprint: where it is the same, a build would give the same image."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from devenv.engine import Engine
from devenv.images.dockerfile import Instruction, read_stages
from devenv.images.resolve import look
from devenv.images.wanted import bases_of, dockerfile_text

# Files that lie elsewhere, or that the build's network brings: only a build can tell.
_ELSEWHERE = ("additional_contexts", "ssh", "no_cache", "pull")
_BIND = re.compile(r"--mount=(\S*)")


def fingerprint(name: str, build: Mapping[str, Any], engine: Engine) -> str:
    """Changes with the Dockerfile, the arguments, the base images, and every file that COPY, ADD or a bind mount takes.

    Files count by size, mode, times and inode, as for git: a touched file means a build, from the cache. Empty where
    it cannot be known without building.
    """
    text = dockerfile_text(name, build)
    context = Path(str(build.get("context") or ""))
    if not text or not context.is_dir() or any(build.get(key) for key in _ELSEWHERE):
        return ""
    sources = [source for stage in read_stages(text) for one in stage.instructions for source in _taken(one)]
    if any("$" in source or "://" in source or source.startswith("git@") for source in sources):
        return ""
    bases = {base: look(base, engine).image_id for base in bases_of(name, build)}
    dockerfile = context / (build.get("dockerfile") or "Dockerfile")
    ignored = [context / ".dockerignore", dockerfile.with_name(f"{dockerfile.name}.dockerignore")]
    files = dict(_files(context, {*sources}))
    told = {key: value for key, value in build.items() if key != "secrets"}
    whole = [text, told, bases, [path.read_text() for path in ignored if path.is_file()], sorted(files.items())]
    return sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def _taken(one: Instruction) -> Iterator[str]:
    """The paths in the context that one instruction reads, as they are written."""
    if one.keyword == "RUN":
        for options in _BIND.findall(one.rest):
            known = dict(part.partition("=")[::2] for part in options.split(","))
            if known.get("type", "bind") == "bind" and "from" not in known:
                yield known.get("source") or known.get("src") or "."
    elif one.keyword in ("COPY", "ADD") and "--from=" not in one.rest:
        listed = one.rest.partition("[")[2]
        words = (json.loads(f"[{listed}") if listed and one.rest.rstrip().endswith("]")
                 else [word for word in shlex.split(one.rest) if not word.startswith("--")])
        # What is written in the Dockerfile itself (`<<EOF`) is part of its text.
        yield from (word for word in words[:-1] if not word.startswith("<<"))


def _files(context: Path, sources: Iterable[str]) -> Iterator[tuple[str, list[Any]]]:
    for source in sources:
        pattern = source.removeprefix("./").lstrip("/")
        for top in context.glob(pattern) if pattern not in ("", ".") else [context]:
            for path in [top, *(top.rglob("*") if top.is_dir() else ())]:
                seen, place = path.lstat(), path.relative_to(context)
                if ".devenv" in place.parts:
                    continue  # our own notes: they change with every run
                yield (str(place),
                       # A directory's times change with what is put beside the files that are copied.
                       [seen.st_mode] if path.is_dir() and not path.is_symlink() else
                       [seen.st_mode, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino])
