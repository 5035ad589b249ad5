"""What an environment's Terraform says about its backends, as the services' environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devenv.errors import UsageError


def backends_env(outputs: Mapping[str, Any]) -> dict[str, str]:
    """The content of an overlay's `backends.env`, copied from the output `backends`.

    `outputs` is what `Terraform.outputs()` returns. The output's shape is `{backend: {environment: {KEY: value},
    secret: name or null}}`: keys and values go over as they are. Raises UsageError where the shape is another, or where
    a key is there twice.
    """
    merged: dict[str, str] = {}
    for backend, said in _backends(outputs).items():
        for key, value in said["environment"].items():
            if key in merged:
                raise UsageError(f"the Terraform output `backends` has `{key}` twice, last in `{backend}`",
                                 "let one backend say it")
            if "\n" in value:
                raise UsageError(f"the Terraform output `backends.{backend}` has more than one line in `{key}`",
                                 "an environment file holds one line for each key")
            merged[key] = value
    return dict(sorted(merged.items()))


def secret_names(outputs: Mapping[str, Any]) -> dict[str, str]:
    """For each backend with a login, the name of its secret."""
    return {backend: said["secret"] for backend, said in _backends(outputs).items() if said["secret"]}


def env_text(environment: Mapping[str, str], header: str) -> str:
    """`environment` as an environment file, below a comment that says who wrote it."""
    return f"# {header}\n" + "".join(f"{key}={value}\n" for key, value in environment.items())


def _backends(outputs: Mapping[str, Any]) -> Mapping[str, Any]:
    backends = outputs.get("backends")
    if not isinstance(backends, Mapping):
        raise UsageError("Terraform has no output `backends`",
                         "apply the environment first; terraform/README.md has the shape")
    for name, said in backends.items():
        sound = isinstance(said, Mapping) and isinstance(said.get("environment"), Mapping) and "secret" in said
        if not sound or not all(isinstance(value, str) for value in said["environment"].values()):
            raise UsageError(f"the Terraform output `backends.{name}` is not {{environment = map of texts, secret}}",
                             "terraform/README.md has the shape")
    return backends
