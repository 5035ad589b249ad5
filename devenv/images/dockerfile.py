"""Just enough of the Dockerfile format to know its stages, the images they start from, and what they copy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_EXPANSION = re.compile(r"\$(?:(\w+)|\{(\w+)(?:(:?[-+])([^}]*))?\})")
_HEREDOC = re.compile(r"<<-?\s*([\"']?)(\w+)\1")
_FROM_FLAG = re.compile(r"--from=(\S+)")
_MOUNT_FROM = re.compile(r"--mount=\S*?\bfrom=([^,\s]+)")


@dataclass(frozen=True)
class Instruction:
    """One instruction: its keyword in capitals, and the rest of it as one line."""

    keyword: str
    rest: str


@dataclass(frozen=True)
class Stage:
    """One `FROM` and what follows; `base` is expanded, and may name another stage."""

    name: str
    base: str
    instructions: tuple[Instruction, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """What else it takes files from: stages by name or number, or images."""
        found = []
        for one in self.instructions:
            if one.keyword in ("COPY", "ADD"):
                found += _FROM_FLAG.findall(one.rest)
            elif one.keyword == "RUN":
                found += _MOUNT_FROM.findall(one.rest)
        return tuple(found)


def last_stage(text: str, target: str | None = None) -> list[Instruction]:
    """All instructions that make the last stage (or `target`), those of the stages it starts from first."""
    stages = read_stages(text)
    found: list[Instruction] = []
    at = _index(stages, target)
    while at is not None:
        found[:0] = stages[at].instructions
        at = next((i for i in range(at) if stages[i].name and stages[i].name == stages[at].base.lower()), None)
    return found


def base_images(text: str, arguments: Mapping[str, str], target: str | None = None) -> list[str]:
    """The images that a build of the last stage (or `target`) takes anything from, in order of need."""
    stages = read_stages(text, arguments)
    names = {stage.name: number for number, stage in enumerate(stages) if stage.name}
    images: dict[str, None] = {}
    seen: set[int] = set()

    def visit(number: int) -> None:
        if number in seen:
            return
        seen.add(number)
        for source in (stages[number].base, *stages[number].sources):
            if source.lower() in names and names[source.lower()] < number:
                visit(names[source.lower()])
            elif source.isdigit() and int(source) < number:
                visit(int(source))
            elif source and source != "scratch":
                images[source] = None

    start = _index(stages, target)
    if start is not None:
        visit(start)
    return list(images)


def read_stages(text: str, arguments: Mapping[str, str] | None = None) -> list[Stage]:
    """The stages of a Dockerfile; `arguments` win over the defaults of `ARG` lines before the first `FROM`."""
    variables: dict[str, str] = {}
    stages: list[Stage] = []
    body: list[Instruction] = []
    for one in _instructions(text):
        if one.keyword == "ARG" and not stages:
            name, _, default = one.rest.partition("=")
            given = (arguments or {}).get(name.strip())
            variables[name.strip()] = given if given is not None else expand(default.strip().strip("\"'"), variables)
        elif one.keyword == "FROM":
            words = [word for word in one.rest.split() if not word.startswith("--")]
            name = words[2].lower() if len(words) == 3 and words[1].lower() == "as" else ""
            body = []
            stages.append(Stage(name, expand(words[0], variables) if words else "", ()))
        elif stages:
            body.append(one)
            stages[-1] = Stage(stages[-1].name, stages[-1].base, tuple(body))
    return stages


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Fill in `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+other}`."""

    def fill(match: re.Match[str]) -> str:
        plain, name, operator, word = match.groups()
        value = variables.get(plain or name)
        if operator in (":+", "+"):
            return str(word) if value else ""
        if operator and (value is None or (operator == ":-" and not value)):
            return str(word)
        return value or ""

    return _EXPANSION.sub(fill, text)


def _index(stages: Sequence[Stage], target: str | None) -> int | None:
    if not stages:
        return None
    if target:
        return next((i for i, stage in enumerate(stages) if stage.name == target.lower()), len(stages) - 1)
    return len(stages) - 1


def _instructions(text: str) -> Iterator[Instruction]:
    lines = iter(text.splitlines())
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        joined = line.strip()
        while joined.endswith("\\"):
            following = next(lines, "").strip()
            if not following.startswith("#"):
                joined = joined[:-1].rstrip() + " " + following
        keyword, _, rest = joined.partition(" ")
        if keyword.upper() in ("RUN", "COPY", "ADD"):
            for _, end in _HEREDOC.findall(rest):
                for inner in lines:
                    if inner.strip() == end:
                        break
        yield Instruction(keyword.upper(), rest.strip())
