"""Find each wanted image: on this machine, else from its registry, else built from packages."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from devenv import output
from devenv.engine import Engine
from devenv.errors import CommandError, DevenvError
from devenv.images import recipes
from devenv.images.build import build, is_here
from devenv.images.recipes import Recipe
from devenv.images.reference import DEFAULT_REGISTRY, parse
from devenv.shell import Runner

LOCAL, PULLED, BUILT, MISSING = "local", "pulled", "built", "missing"


@dataclass(frozen=True)
class Resolved:
    """What is used where `wanted` is asked for."""

    wanted: str
    reference: str
    source: str  # local, pulled, built, missing
    image_id: str = ""
    size_bytes: int = 0
    product: str = ""
    exact: bool = True  # False: a stand-in, another product or another version than `wanted` names
    same_product: bool = True  # reads the data of the original


def look(wanted: str, engine: Engine) -> Resolved:
    """What this machine has for `wanted`, without fetching or building anything."""
    image = engine.image(wanted)
    if image is not None:
        return _resolved(wanted, wanted, image)
    recipe = recipes.find(wanted)
    if recipe is not None and is_here(recipe, engine):
        return _resolved(wanted, recipe.reference, engine.image(recipe.reference) or {}, recipe)
    return Resolved(wanted, wanted, MISSING)


def resolve(wanted: Iterable[str], *, engine: Engine, runner: Runner, offline: bool, logs: Path) -> dict[str, Resolved]:
    """Find all of `wanted`; raises DevenvError that lists every image that cannot be had."""
    found = {name: look(name, engine) for name in wanted}
    missing = [name for name, one in found.items() if one.source == MISSING]
    if missing and not offline:
        missing = _pull(missing, runner, logs)
    chosen = {name: recipes.find(name) for name in missing}
    lost = [name for name, recipe in chosen.items() if recipe is None or offline]
    if lost:
        why = "it is not on this machine, and --offline forbids to fetch or build" if offline else (
            "it is not on this machine, its registry does not give it, and no recipe builds it from packages")
        raise DevenvError("\n".join(f"no image `{name}`: {why}" for name in lost),
                          "`devenv images` lists what is there" if not offline else "run again without --offline",
                          {"cause": "image", "images": lost})
    made = {name: recipe for name, recipe in chosen.items() if recipe}
    build_recipes(made.values(), engine=engine, runner=runner, logs=logs)
    for name, one in found.items():
        if name in made:
            image = engine.image(made[name].reference) or {}
            found[name] = _resolved(name, made[name].reference, image, made[name])
        elif one.source == MISSING:
            found[name] = look(name, engine)
    return found


def build_recipes(wanted: Iterable[Recipe], *, engine: Engine, runner: Runner, logs: Path) -> None:
    """Build these recipes and the bases they need, side by side where they do not wait for each other."""
    ordered: dict[str, Recipe] = {}

    def visit(recipe: Recipe) -> None:
        for base in recipe.bases:
            visit(recipes.load(base))
        if not is_here(recipe, engine):
            ordered[recipe.name] = recipe

    for one in wanted:
        visit(one)
    if ordered:
        output.say(f"  building from packages: {', '.join(ordered)}")
    jobs: dict[str, Future[None]] = {}
    with ThreadPoolExecutor(max_workers=4) as pool:
        for recipe in ordered.values():
            # A base is submitted before what waits for it, so that waiting never uses the last free worker.
            bases = [jobs[base] for base in recipe.bases if base in jobs]
            jobs[recipe.name] = pool.submit(_build_after, bases, recipe, runner, logs)
    failures = [problem for job in jobs.values() if (problem := job.exception())]
    for problem in failures:
        if not isinstance(problem, DevenvError):
            raise problem
    if failures:
        # Each failure once: what waited for a failed base only repeats it.
        messages = dict.fromkeys(str(problem) for problem in failures)
        first = failures[0]
        raise DevenvError("\n".join(messages), getattr(first, "hint", None), getattr(first, "details", None))


def _build_after(bases: list[Future[None]], recipe: Recipe, runner: Runner, logs: Path) -> None:
    for base in bases:
        base.result()
    began = monotonic()
    build(recipe, runner, logs)
    output.say(f"  built {recipe.reference} {output.paint(f'{monotonic() - began:.0f} s', 'dim')}")


def _pull(names: list[str], runner: Runner, logs: Path,
          is_reached: Callable[[str], bool] | None = None) -> list[str]:
    """Pull what can be pulled; returns what is still missing. The first registry out of reach ends the attempts."""
    is_reached = is_reached or _is_reached
    left = []
    reachable = True
    for name in names:
        wanted = parse(name)
        if not reachable or wanted.registry == "localhost":
            left.append(name)
            continue
        output.say(f"  pulling {name}")
        try:
            runner.log("docker", "pull", "--quiet", wanted.pullable, log=logs / "pull.log")
        except CommandError:
            left.append(name)
            if not is_reached(wanted.registry):
                reachable = False
                output.say(f"  {wanted.registry} is not reached: no further pulls in this run")
    return left


def _is_reached(registry: str) -> bool:
    host, _, port = ("registry-1.docker.io" if registry == DEFAULT_REGISTRY else registry).partition(":")
    if os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy"):
        return True  # the way leads through a proxy, so a connection of our own would prove nothing
    try:
        with socket.create_connection((host, int(port or 443)), timeout=3):
            return True
    except OSError:
        return False


def _resolved(wanted: str, reference: str, image: Mapping[str, Any], recipe: Recipe | None = None) -> Resolved:
    labels = (image.get("Config") or {}).get("Labels") or {}
    source = LOCAL
    if recipes.RECIPE_LABEL in labels:
        source = BUILT
    elif image.get("RepoDigests"):
        source = PULLED
    return Resolved(
        wanted, reference, source, image.get("Id", ""), int(image.get("Size", 0)),
        product=recipe.product if recipe else labels.get("devenv.product", ""),
        exact=recipe.is_exact_for(parse(wanted)) if recipe else True,
        same_product=recipe.exact if recipe else labels.get("devenv.stand-in") != "true",
    )
