"""Make the JSON schemas beside this file: `python generate.py SWAGGER 1.34.4`.

SWAGGER is Kubernetes' api/openapi-spec/swagger.json (Apache-2.0), part of the Go module k8s.io/kubernetes; a cluster
prints its own with `kubectl get --raw /openapi/v2`.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
KINDS = {
    "admissionregistration.k8s.io/v1": ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"),
    "apps/v1": ("DaemonSet", "Deployment", "StatefulSet"),
    "autoscaling/v2": ("HorizontalPodAutoscaler",),
    "batch/v1": ("CronJob", "Job"),
    "networking.k8s.io/v1": ("Ingress", "IngressClass", "NetworkPolicy"),
    "policy/v1": ("PodDisruptionBudget",),
    "rbac.authorization.k8s.io/v1": ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"),
    "apiregistration.k8s.io/v1": ("APIService",),
    "storage.k8s.io/v1": ("StorageClass",),
    "v1": ("ConfigMap", "LimitRange", "Namespace", "PersistentVolume", "PersistentVolumeClaim", "ResourceQuota",
           "Secret", "Service", "ServiceAccount"),
}
ANY_OF_BOTH = {"oneOf": [{"type": "string"}, {"type": "number"}]}


def strict(schema):
    """A schema without prose, that refuses keys nobody defined."""
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "int-or-string":
        return ANY_OF_BOTH
    kept = {k: v for k, v in schema.items() if k not in ("description", "default", "format") and k[:2] != "x-"}
    if "$ref" in kept:
        return {"$ref": kept["$ref"]}
    if "properties" in kept:
        kept["properties"] = {name: strict(one) for name, one in kept["properties"].items()}
        kept["additionalProperties"] = False
    for key in ("items", "additionalProperties"):
        if isinstance(kept.get(key), dict):
            kept[key] = strict(kept[key])
    return kept


def references(schema):
    """Names of the definitions that a schema refers to."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"].rpartition("/")[2]
        for one in schema.values():
            yield from references(one)


def main(specification, version):
    made_from = f"written by generate.py from the OpenAPI specification of Kubernetes {version}"
    everything = json.loads(Path(specification).read_text())["definitions"]
    by_kind = {
        (f"{gvk['group']}/{gvk['version']}".lstrip("/"), gvk["kind"]): name
        for name, one in everything.items() for gvk in one.get("x-kubernetes-group-version-kind", ())
        if len(one["x-kubernetes-group-version-kind"]) == 1
    }
    wanted = []
    for api, kinds in KINDS.items():
        group, _, number = api.rpartition("/")
        # As kubeconform's {{.KindSuffix}} spells it.
        suffix = "-".join(part for part in (group.split(".")[0], number) if part)
        for kind in kinds:
            name = by_kind[api, kind]
            wanted.append(name)
            file = HERE / f"{kind.lower()}-{suffix}.json"
            file.write_text(json.dumps({"$ref": f"definitions.json#/definitions/{name}"}) + "\n")
    definitions = {}
    while wanted:
        name = wanted.pop()
        if name not in definitions:
            definitions[name] = strict(everything[name])
            wanted += references(definitions[name])
    definitions["io.k8s.apimachinery.pkg.api.resource.Quantity"] = ANY_OF_BOTH
    whole = {"$comment": made_from, "definitions": definitions}
    text = json.dumps(whole, sort_keys=True, separators=(",", ":"))
    (HERE / "definitions.json").write_text(text.replace('"io.k8s.', '\n"io.k8s.') + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
