"""Whether the overlay and the environment's Terraform fit each other, asked before anything is changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devenv.promotion.context import Promotion
from devenv.promotion.render import overlay_folder
from devenv.runtimes.kind.manifests import render
from devenv.terraform import contract
from devenv.terraform.program import UNKNOWN

Object = dict[str, Any]
# What the contract is about; Terraform that puts out other things has none with the manifests.
_OUTPUTS = ("backends", "cluster", "dns")
_CLUSTER = {"ingress_node_port", "namespace", "region", "roles"}


def rendered(promotion: Promotion) -> list[Object]:
    """The people's overlay, and the add-ons that the environment's cluster has."""
    folders = [overlay_folder(promotion.home.root, promotion.environment.overlay), *promotion.addons]
    return [one for folder in folders for one in render(promotion.runner, folder).objects]


def problems(outputs: Mapping[str, Any], objects: list[Object]) -> list[str]:
    """What only one of the two knows, each with its next move; nothing where too little is known before an apply."""
    if not is_known(outputs):
        return []
    return [f"{one}: mend the overlay or Terraform, whichever is wrong" for one in contract.problems(outputs, objects)]


def is_known(outputs: Mapping[str, Any]) -> bool:
    """Whether the names are known; values, such as addresses, may still be unknown."""
    if not all(isinstance(outputs.get(name), Mapping) for name in _OUTPUTS):
        return False
    if not outputs["cluster"].keys() >= _CLUSTER or not isinstance(outputs["cluster"]["roles"], Mapping):
        return False
    return all(isinstance(said, Mapping) and isinstance(said.get("environment"), Mapping)
               and said.get("secret") != UNKNOWN for said in outputs["backends"].values())
