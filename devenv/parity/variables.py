"""The environment of a container, resolved from ConfigMaps and Secrets as the kubelet would."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from devenv.parity.facts import secret

Object = Mapping[str, Any]
_REFERENCE = re.compile(r"\$(\$)?\(([A-Za-z_][A-Za-z0-9_.-]*)\)")


@dataclass(frozen=True)
class Sources:
    """What variables are taken from: the ConfigMaps, and the keys of the Secrets, that the objects make."""

    config_maps: Mapping[str, Mapping[str, str]]
    secrets: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, objects: Iterable[Object]) -> Sources:
        """Those among the objects; an ExternalSecret makes a Secret too."""
        config_maps, secrets = {}, {}
        for one in objects:
            name = one["metadata"]["name"]
            if one["kind"] == "ConfigMap":
                config_maps[name] = {key: str(value) for key, value in (one.get("data") or {}).items()}
            elif one["kind"] == "Secret":
                secrets[name] = frozenset({*(one.get("data") or {}), *(one.get("stringData") or {})})
            elif one["kind"] == "ExternalSecret":
                spec = one["spec"]
                target = spec.get("target") or {}
                made = (target.get("template") or {}).get("data") or {e["secretKey"] for e in spec.get("data") or []}
                secrets[target.get("name", name)] = frozenset(made)
        return cls(config_maps, secrets)


@dataclass(frozen=True)
class Variables:
    """Key -> value, with secrets by name; what goes wrong; and the keys that are only parts of others."""

    values: Mapping[str, str]
    broken: Mapping[str, str]
    ingredients: frozenset[str]


def variables(container: Object, sources: Sources) -> Variables:
    """What the container's process finds in its environment."""
    found: dict[str, str] = {}
    broken: dict[str, str] = {}
    used: set[str] = set()
    for entry in container.get("envFrom") or []:
        prefix = entry.get("prefix", "")
        if "configMapRef" in entry:
            data = sources.config_maps.get(entry["configMapRef"]["name"], {})
            found |= {prefix + key: value for key, value in data.items()}
        elif "secretRef" in entry:
            name = entry["secretRef"]["name"]
            found |= {prefix + key: secret(key) for key in sources.secrets.get(name, ())}
            if name not in sources.secrets and not entry["secretRef"].get("optional"):
                broken[f"Secret {name}"] = "nothing in the overlay makes it"
    for entry in container.get("env") or []:
        key, origin = entry["name"], entry.get("valueFrom") or {}
        if "secretKeyRef" in origin:
            found[key] = secret(origin["secretKeyRef"]["key"])
            problem = _problem(origin["secretKeyRef"], sources)
            if problem:
                broken[f"Secret {origin['secretKeyRef']['name']}"] = problem
        elif "configMapKeyRef" in origin:
            reference = origin["configMapKeyRef"]
            value = sources.config_maps.get(reference["name"], {}).get(reference["key"])
            if value is not None:
                found[key] = value
        elif origin:
            found[key] = "of the pod"
        else:
            used |= {name for escaped, name in _REFERENCE.findall(str(entry.get("value", ""))) if not escaped}
            found[key] = _expand(str(entry.get("value", "")), found)
    return Variables(found, broken, frozenset(used))


def _problem(reference: Object, sources: Sources) -> str | None:
    """What is wrong with a reference to a Secret; an optional key may be absent, the Secret may not."""
    if reference["name"] not in sources.secrets:
        return "nothing in the overlay makes it"
    if reference["key"] in sources.secrets[reference["name"]] or reference.get("optional"):
        return None
    return f"nothing in the overlay puts {reference['key']} into it"


def _expand(value: str, known: Mapping[str, str]) -> str:
    """`$(NAME)` by the variables before it; `$$(NAME)` stays as `$(NAME)`, and so does what is not known."""
    return _REFERENCE.sub(
        lambda match: f"$({match[2]})" if match[1] else known.get(match[2], match[0]), value
    )
