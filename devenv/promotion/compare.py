"""How a cluster differs from what should run there: field by field, and who changed it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devenv.kubernetes.kubectl import FORCE, MANAGER, Kubectl

Object = dict[str, Any]
Path = tuple[str, ...]
NEW = "(object)"
_SERVERS_OWN = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink")


@dataclass(frozen=True)
class Change:
    """One field that applying would change; `owner`: who set it last, where that was not devenv."""

    object: str  # Kind/name
    field: str
    before: str | None
    after: str | None
    owner: str = ""


def key(one: Mapping[str, Any]) -> tuple[str, str, str]:
    """What tells an object from every other in a cluster."""
    meta = one["metadata"]
    return f"{one['apiVersion'].partition('/')[0] if '/' in one['apiVersion'] else ''}/{one['kind']}", str(
        meta.get("namespace", "")), str(meta["name"])


def title(one: Mapping[str, Any]) -> str:
    """`Deployment/web`."""
    return f"{one['kind']}/{one['metadata']['name']}"


def as_list(objects: Iterable[Mapping[str, Any]]) -> str:
    """The objects as one document."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})


def live(kubectl: Kubectl, objects: Sequence[Object]) -> dict[tuple[str, str, str], Object]:
    """The objects of these names that the cluster has."""
    if not objects:
        return {}
    text = kubectl.read("get", "--ignore-not-found", "--show-managed-fields", "--output", "json", "--filename", "-",
                        stdin=as_list(objects))
    return {key(one): one for one in _items(text)}


def compare(kubectl: Kubectl, objects: Sequence[Object]) -> tuple[Change, ...]:
    """What a server-side apply would change, by asking the server; nothing is stored. Raises CommandError."""
    there = live(kubectl, objects)
    known = [one for one in objects if key(one) in there]
    found = [Change(title(one), NEW, None, "created") for one in objects if key(one) not in there]
    if known:
        for one in _items(kubectl.apply(as_list(known), FORCE, "--dry-run=server", "--output", "json")):
            found += changes(there[key(one)], one)
    return tuple(found)


def changes(before: Object, after: Object) -> list[Change]:
    """The fields in which two states of an object differ."""
    found = []
    for path, old, new in _walk(_bare(before), _bare(after), ()):
        found.append(Change(title(after), ".".join(path), _text(old), _text(new), owner(before, path)))
    return found


def owner(one: Object, path: Path) -> str:
    """The manager that owns a field or what is nearest above or below it, unless it is devenv."""
    best, depth = "", 0
    for entry in one["metadata"].get("managedFields", []):
        if entry.get("subresource"):
            continue
        matched = _depth(entry.get("fieldsV1", {}), one, path)
        if matched > depth:
            best, depth = entry["manager"], matched
        elif matched == depth and entry["manager"] != MANAGER and matched == len(path):
            best = entry["manager"]
    return "" if best == MANAGER or depth < len(path) else best


def _depth(fields: Mapping[str, Any], value: Any, path: Path) -> int:
    """How many parts of the path a manager's fields have."""
    for number, part in enumerate(path):
        following: Mapping[str, Any] | None = None
        if isinstance(value, list):
            value = next((item for item in value if isinstance(item, dict) and str(item.get("name")) == part), None)
            for name, inner in fields.items():
                if name.startswith("k:") and isinstance(value, dict) and json.loads(name[2:]).items() <= value.items():
                    following = inner
        else:
            value = value.get(part) if isinstance(value, dict) else None
            following = fields.get(f"f:{part}")
        if following is None:
            return number
        fields = following
    return len(path)


def _walk(before: Any, after: Any, path: Path) -> Iterator[tuple[Path, Any, Any]]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted({*before, *after}):
            yield from _walk(before.get(name), after.get(name), (*path, name))
    elif _named(before) and _named(after):
        yield from _walk({one["name"]: one for one in before}, {one["name"]: one for one in after}, path)
    else:
        yield path, before, after


def _named(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) and "name" in one for one in value)


def _bare(one: Object) -> Object:
    """Without what the server keeps for itself."""
    meta = {name: value for name, value in one["metadata"].items() if name not in _SERVERS_OWN}
    return {**{name: value for name, value in one.items() if name != "status"}, "metadata": meta}


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _items(text: str) -> list[Object]:
    if not text.strip():
        return []
    data = json.loads(text)
    return list(data["items"]) if data["kind"].endswith("List") else [data]
