"""What an installer may change: defaults, and what each may be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from devenv.chart.holes import Hole, value_at

TEXT: Mapping[str, Any] = {"type": "string"}
NAME: Mapping[str, Any] = {"type": "string", "minLength": 1}
COUNT: Mapping[str, Any] = {"type": "integer", "minimum": 1}
SWITCH: Mapping[str, Any] = {"type": "boolean"}
TEXTS: Mapping[str, Any] = {"type": "object", "additionalProperties": TEXT}

SECTIONS = {
    "registry": "Where the images of the services are; empty for images on the nodes.",
    "images": "Each service's image in that registry. A digest says exactly which; a tag may move.",
    "thirdParty": "Images that are not built from this repository, by their whole names.",
    "replicas": "How many pods: between min and max where there is an autoscaler.",
    "hosts": "The names under which the platform is reached.",
    "ingress": "The controller that serves the hosts, and what it wants to know.",
    "config": "Variables of the services: settings, and where the backends are. Pods roll when one changes.",
    "secrets": "Names of Secrets in the release's namespace. They are never part of the chart:",
    "customResources": "Objects whose kinds come with another controller; without that controller, switch them off.",
    "namespace": "Whether the release makes its own namespace. Helm cannot install into one that it is still to make:\n"
                 "use it with `helm template --show-only templates/namespace.yaml`.",
}


@dataclass
class Values:
    """Defaults with their schemas, put in one by one."""

    data: dict[str, Any] = field(default_factory=dict)
    schema: dict[str, Any] = field(default_factory=lambda: _closed())
    # Secret -> the keys that pods read.
    secret_keys: dict[str, list[str]] = field(default_factory=dict)

    def put(self, path: tuple[str, ...], value: Any, schema: Mapping[str, Any]) -> Hole:
        """Add a default and return the expression that reads it; putting the same one twice is one value."""
        data, rules = self.data, self.schema
        for word in path[:-1]:
            data = data.setdefault(word, {})
            rules = rules["properties"].setdefault(word, _closed())
        data.setdefault(path[-1], value)
        rules["properties"][path[-1]] = dict(schema)
        return value_at(path)

    def text(self) -> str:
        """The file `values.yaml`."""
        import yaml

        parts = []
        for name, comment in SECTIONS.items():
            if name not in self.data:
                continue
            lines = [f"# {line}" for line in comment.splitlines()]
            if name == "secrets":
                lines += [f"#   {secret}: {', '.join(keys)}" for secret, keys in sorted(self.secret_keys.items())]
            body = yaml.safe_dump({name: self.data[name]}, sort_keys=True, allow_unicode=True, width=10_000)
            parts.append("\n".join(lines) + "\n" + body)
        return "\n".join(parts)

    def schema_text(self) -> str:
        """The file `values.schema.json`; `global` is what Helm hands to a chart inside another."""
        rules = {**self.schema, "properties": {**self.schema["properties"], "global": {"type": "object"}}}
        whole = {"$schema": "http://json-schema.org/draft-07/schema#", **rules}
        return json.dumps(whole, indent=1, sort_keys=True) + "\n"


def _closed() -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": {}}
