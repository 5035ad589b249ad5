"""Expressions of Helm in the place of values, and objects written out as templates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from devenv.errors import UsageError

# A hole while YAML is written. Characters that manifests do not have, and that YAML writes without quotes.
_OPEN, _CLOSE = "⟦", "⟧"
Place = tuple[Any, Any, tuple[Any, ...]]


class Hole(str):
    """An expression that stands where the rendering had a value; its result is written as JSON, which YAML includes."""

    __slots__ = ()


def value_at(path: Iterable[str]) -> Hole:
    """The expression for a place in the values: `.Values.images.web`, or with `index` for names that need it."""
    made = ".Values"
    for word in path:
        plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", word)
        made = f"{made}.{word}" if plain else f'(index {made} "{word}")'
    return Hole(made)


def places(node: Any, trail: tuple[Any, ...] = ()) -> Iterator[Place]:
    """(container, key, keys from the root) of every scalar, so that it can be replaced."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in list(pairs):
        if isinstance(value, (dict, list)):
            yield from places(value, (*trail, key))
        else:
            yield node, key, (*trail, key)


def template(data: Mapping[str, Any]) -> str:
    """YAML in which holes are actions of a template and everything else comes out of it as it is."""
    import yaml

    holes: list[Hole] = []

    class Writer(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    def hole(writer: Writer, value: Hole) -> yaml.ScalarNode:
        holes.append(value)
        return writer.represent_scalar("tag:yaml.org,2002:str", f"{_OPEN}{len(holes) - 1}{_CLOSE}")

    def text(writer: Writer, value: str) -> yaml.ScalarNode:
        if _OPEN in value:
            raise UsageError(f"a manifest has the character `{_OPEN}`, which marks values while a chart is written",
                             "write it in another way")
        return writer.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Writer.add_representer(Hole, hole)
    Writer.add_representer(str, text)
    written = yaml.dump(dict(data), Dumper=Writer, sort_keys=False, allow_unicode=True, width=10_000)
    escaped = written.replace("{{", '{{ "{{" }}')
    return re.sub(f"{_OPEN}(\\d+){_CLOSE}", lambda found: f"{{{{ {holes[int(found[1])]} | toJson }}}}", escaped)
