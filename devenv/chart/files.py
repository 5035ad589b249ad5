"""The files of a chart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devenv.chart.holes import Hole, template
from devenv.chart.lift import Lifted

HELPERS = '''\
{{/* An image by its name in the values: `include "image" (list . "web")`. */}}
{{- define "image" -}}
{{- $values := (index . 0).Values -}}
{{- $image := index $values.images (index . 1) -}}
{{- with $values.registry }}{{ . | trimSuffix "/" }}/{{ end }}{{ $image.repository -}}
{{- with $image.tag }}:{{ . }}{{ end }}{{ with $image.digest }}@{{ . }}{{ end -}}
{{- end -}}

{{/* The name of a ConfigMap: its values are hashed as kustomize does it, so that pods roll when one changes. */}}
{{- define "config-map" -}}
{{- $name := index . 1 -}}
{{- $data := index (index . 0).Values.config $name -}}
{{- $hash := dict "data" $data "kind" "ConfigMap" "name" "" | toJson | sha256sum | trunc 10 -}}
{{- $suffix := $hash | replace "0" "g" | replace "1" "h" | replace "3" "k" | replace "a" "m" | replace "e" "t" -}}
{{- printf "%s-%s" $name $suffix -}}
{{- end -}}

{{/* The name of a Job: what it does cannot be changed, so other content makes another Job. */}}
{{- define "job" -}}
{{- printf "%s-%s" (index . 1) (include (printf "job-%s" (index . 1)) (index . 0) | sha256sum | trunc 10) -}}
{{- end -}}
'''

NOTES = '''\
{{ .Chart.Name }} {{ .Chart.AppVersion }} is in namespace {{ .Release.Namespace }}.
{{- with .Values.hosts }}

It is reached at
{{- range . }}
  https://{{ . }}
{{- end }}
{{- end }}
SECRETS
Pods are on their way: kubectl --namespace {{ .Release.Namespace }} get pods --watch
'''


@dataclass(frozen=True)
class About:
    """What Chart.yaml says."""

    name: str
    version: str
    commit: str
    overlay: str


def files(about: About, lifted: Lifted) -> dict[str, str]:
    """Path in the chart -> text."""
    found = {
        "Chart.yaml": _chart(about),
        "values.yaml": _head(about) + lifted.values.text(),
        "values.schema.json": lifted.values.schema_text(),
        "templates/_helpers.tpl": HELPERS,
        "templates/NOTES.txt": _notes(lifted),
    }
    for number, one in enumerate(lifted.objects):
        found[_path(one, found)] = _manifest(one, lifted.switches.get(number))
    return found


def _head(about: About) -> str:
    return (f"# written by `devenv chart {about.overlay}` from k8s/overlays/{about.overlay}; "
            "these are its own values.\n\n")


def _chart(about: About) -> str:
    return template({
        "apiVersion": "v2",
        "name": about.name,
        "description": f"{about.name} as k8s/overlays/{about.overlay} says, with values for what differs elsewhere",
        "type": "application",
        "version": about.version,
        "appVersion": about.commit,
        "annotations": {"devenv/overlay": about.overlay},
    })


def _notes(lifted: Lifted) -> str:
    lines = []
    if "secrets" in lifted.values.data:
        lines = ["", "It reads these Secrets, which are not part of the chart:"]
    for name in sorted(lifted.values.data.get("secrets", {})):
        keys = ", ".join(lifted.values.secret_keys[name])
        lines.append(f'  {{{{ index .Values.secrets "{name}" }}}}' + (f" ({keys})" if keys else ""))
    return NOTES.replace("SECRETS\n", "\n".join([*lines, ""]) + "\n")


def _path(one: Mapping[str, Any], taken: Mapping[str, str]) -> str:
    """`templates/<kind>-<name>.yaml`; what carries no name of its own goes by its kind."""
    kind, name = str(one["kind"]).lower(), one["metadata"]["name"]
    if isinstance(name, Hole):
        quoted = re.search(r'"([^"]+)"\)$', name)
        name = quoted[1] if quoted else ""
    stem = "templates/" + re.sub(r"[^a-z0-9.-]", "-", f"{kind}-{name}".strip("-").lower())
    return next(path for path in (f"{stem}.yaml", *(f"{stem}-{n}.yaml" for n in range(2, 1000))) if path not in taken)


def _manifest(one: Mapping[str, Any], switch: Hole | None) -> str:
    text = _job(one) if one["kind"] == "Job" else template(one)
    return f"{{{{- if {switch} }}}}\n{text}{{{{- end }}}}\n" if switch else text


def _job(one: Mapping[str, Any]) -> str:
    """A Job whose name has the hash of what it does."""
    name = str(one["metadata"]["name"])
    metadata = {**one["metadata"], "name": Hole(f'include "job" (list . "{name}")')}
    rest = {key: value for key, value in one.items() if key not in ("metadata", "spec")}
    return (f'{{{{- define "job-{name}" }}}}\n{template({"spec": one["spec"]})}{{{{- end }}}}\n'
            f'{template({**rest, "metadata": metadata})}{{{{- include "job-{name}" . }}}}\n')
