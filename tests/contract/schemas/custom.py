"""Make the JSON schemas of custom resources beside this file: `python custom.py FOLDER v1.3.2`.

FOLDER is config/crds/bases of External Secrets (Apache-2.0), part of the Go module
github.com/external-secrets/external-secrets.
"""

import json
import sys
from pathlib import Path

import yaml

from tests.contract.schemas.generate import HERE, strict

KINDS = ("externalsecrets", "secretstores")
# The others would be half a megabyte.
PROVIDERS = {"aws", "fake"}


def main(folder, version):
    for kind in KINDS:
        definition = yaml.safe_load((Path(folder) / f"external-secrets.io_{kind}.yaml").read_text())["spec"]
        (served,) = [one for one in definition["versions"] if one["name"] == "v1"]
        schema = served["schema"]["openAPIV3Schema"]
        providers = schema["properties"]["spec"]["properties"].get("provider", {}).get("properties", {})
        for name in providers.keys() - PROVIDERS:
            del providers[name]
        whole = {"$comment": f"written by custom.py from External Secrets {version}", **strict(schema)}
        file = HERE / f"{definition['names']['kind'].lower()}-external-secrets-v1.json"
        file.write_text(json.dumps(whole, sort_keys=True, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
