"""Make the JSON schemas of Argo CD's kinds beside this file: `python from_crds.py FOLDER v3.6.1`.

FOLDER holds the definitions of its custom resources, manifests/crds in the Go module github.com/argoproj/argo-cd/v3
(Apache-2.0); the image has them too: /usr/local/share/argocd/crds.
"""

import json
import sys
from collections import Counter
from hashlib import sha256
from pathlib import Path

import yaml
from generate import strict

HERE = Path(__file__).parent
# A generator of an ApplicationSet can hold others, and each of them a whole Application: what is repeated is kept once.
WORTH_A_NAME = 400


def text(schema):
    return json.dumps(schema, sort_keys=True, separators=(",", ":"))


def count(schema, seen):
    """How often each large part occurs."""
    for one in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        count(one, seen)
    # A property may be called `type`, too.
    if isinstance(schema, dict) and isinstance(schema.get("type"), str) and len(text(schema)) > WORTH_A_NAME:
        seen[text(schema)] += 1


def fold(schema, seen, definitions):
    """The same schema, with references to parts that occur more than once."""
    if isinstance(schema, list):
        return [fold(one, seen, definitions) for one in schema]
    if not isinstance(schema, dict):
        return schema
    folded = {key: fold(one, seen, definitions) for key, one in schema.items()}
    if seen[text(schema)] < 2:
        return folded
    name = sha256(text(schema).encode()).hexdigest()[:12]
    definitions[name] = folded
    return {"$ref": f"#/definitions/{name}"}


def main(folder, version):
    for file in sorted(Path(folder).glob("*-crd.yaml")):
        crd = yaml.safe_load(file.read_text())["spec"]
        (served,) = crd["versions"]
        schema = closed(served["schema"]["openAPIV3Schema"])
        seen, definitions = Counter(), {}
        count(schema, seen)
        root = fold(schema, seen, definitions)
        origin = f"written by from_crds.py from {file.name} of github.com/argoproj/argo-cd/v3 {version} (Apache-2.0)"
        name = f"{crd['names']['singular']}-{crd['group'].split('.')[0]}-{served['name']}.json"
        (HERE / name).write_text(json.dumps({"$comment": origin, **root, "definitions": definitions}, sort_keys=True,
                                            separators=(",", ":")).replace('"definitions":', '\n"definitions":') + "\n")


def closed(schema):
    """Strict, but for the outermost metadata, which a definition leaves to Kubernetes."""
    whole = strict(schema)
    whole["properties"]["metadata"] = {"type": "object"}
    return whole


if __name__ == "__main__":
    main(*sys.argv[1:])
