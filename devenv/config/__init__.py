"""`devenv.toml`: what the standard files cannot say. Strict keys; all problems are reported at once."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from devenv.config.gitops import Gitops, gitops_from
from devenv.config.reading import refuse_unknown, section
from devenv.config.rehearsal import Rehearsal, rehearsal_from
from devenv.config.scan import Scan, scan_from
from devenv.config.supply import Supply, supply_from
from devenv.config.waivers import waiver_tables
from devenv.errors import UsageError

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_WAIVER_TEXTS = ("overlay", "service", "field", "compose", "kubernetes")
# What `devenv parity` compares.
PARITY_CLASSES = (
    "services", "images", "versions", "environment", "secrets", "ports",
    "health", "timing", "order", "volumes", "limits", "security",
)


@dataclass(frozen=True)
class Suite:
    """One test suite: a name and the command that a person could type."""

    name: str
    command: tuple[str, ...]
    # Whether `devenv test` brings the platform up before it.
    needs_platform: bool = False
    # Programs it calls; those that are not on PATH are built from packages.
    programs: tuple[str, ...] = ()
    # A skip whose reason has one of these texts in it is allowed; any other costs the receipt.
    may_skip: tuple[str, ...] = ()


@dataclass(frozen=True)
class Waiver:
    """A difference between Compose and Kubernetes that is meant, until a day; what is None fits anything."""

    category: str
    reason: str
    until: date
    overlay: str | None = None
    service: str | None = None
    field: str | None = None
    compose: str | None = None
    kubernetes: str | None = None


@dataclass(frozen=True)
class Receipts:
    """Who signs receipts, and whose receipts count; both are paths, empty where not said."""

    key: str = ""
    allowed_signers: str = ""


@dataclass(frozen=True)
class Environment:
    """A place that releases go to. Credentials are never here: they come from the kubeconfig and the AWS chain."""

    name: str
    context: str
    # The UID of the namespace `kube-system`: a context's name may lead to another cluster tomorrow.
    cluster_uid: str
    # Where images are pushed; empty: the Terraform output `registry_url`.
    registry: str = ""
    overlay: str = ""
    # A folder of *.tf, and its backend's settings; empty: no Terraform.
    terraform: str = ""
    backend: dict[str, str] = field(default_factory=dict)
    # Suites that a receipt must have.
    suites: tuple[str, ...] = ()
    # `yes` asks for one key, `type` for the environment's name.
    confirm: str = "yes"
    # The environment whose release this one takes.
    source: str = ""
    # URLs that must answer with 2xx or 3xx after a rollout.
    smoke: tuple[str, ...] = ()
    timeout_s: float = 300
    # `ci` refuses what CI has not built and tested, `warn` says so; empty: nobody asks.
    provenance: str = ""
    # Where releases are committed for Argo CD; None: devenv applies them itself.
    gitops: Gitops | None = None


@dataclass(frozen=True)
class Config:
    """Settings of a project."""

    # Variables that get a random value in the git-ignored `.env`, with an optional prefix each.
    secrets: dict[str, str] = field(default_factory=dict)
    suites: tuple[Suite, ...] = ()
    # How long `up` waits for everything to be usable.
    timeout_s: float = 300
    waivers: tuple[Waiver, ...] = ()
    receipts: Receipts = field(default_factory=Receipts)
    environments: dict[str, Environment] = field(default_factory=dict)
    supply: Supply = field(default_factory=Supply)
    rehearsal: Rehearsal = field(default_factory=Rehearsal)
    scan: Scan = field(default_factory=Scan)


def load_config(path: Path) -> Config:
    """Read the file if there is one; raises UsageError that lists every problem in it."""
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        return Config()
    except UnicodeDecodeError as cause:
        raise UsageError(f"`{path}` is not UTF-8 text: {cause.reason} at byte {cause.start}") from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as cause:
        raise UsageError(f"`{path}` is not valid TOML: {cause}", "mend that line, then try again") from None
    problems: list[str] = []
    config = _parse(data, problems)
    if problems:
        listed = "\n".join(f"  - {_line(text, problem[0])}{problem[1]}" for problem in map(_split, problems))
        message = f"`{path}` has {len(problems)} problem(s):\n{listed}"
        raise UsageError(message, "docs/reference/config.md lists every key")
    return config


def _parse(data: dict[str, Any], problems: list[str]) -> Config:
    known = {"up", "secrets", "test", "parity", "receipts", "environments", "supply", "rehearsal", "scan"}
    refuse_unknown(data, known, "", problems)
    up = section(data, "up", problems)
    refuse_unknown(up, {"timeout_s"}, "up.", problems)
    timeout_s = up.get("timeout_s", Config.timeout_s)
    if isinstance(timeout_s, bool) or not isinstance(timeout_s, (int, float)) or timeout_s <= 0:
        problems.append("timeout_s\0`up.timeout_s` must be a number of seconds above 0")
        timeout_s = Config.timeout_s
    secrets = section(data, "secrets", problems)
    for name, prefix in secrets.items():
        if not _VARIABLE.fullmatch(name):
            problems.append(f"{name}\0`secrets.{name}` is no name of an environment variable (A-Z, 0-9, _)")
        if not isinstance(prefix, str):
            problems.append(f"{name}\0`secrets.{name}` must be a text: the prefix of the generated value, or \"\"")
    suites = _suites(section(data, "test", problems), problems)
    waivers = _waivers(section(data, "parity", problems), problems)
    receipts = _receipts(section(data, "receipts", problems), problems)
    environments = _environments(section(data, "environments", problems), {one.name for one in suites}, problems)
    supply = supply_from(section(data, "supply", problems), problems)
    problems += [f"{name}\0`environments.{name}.provenance` needs `supply.identity`: which workflow is CI's?"
                 for name, one in environments.items() if one.provenance and not supply.identity]
    rehearsal = rehearsal_from(section(data, "rehearsal", problems), problems)
    scan = scan_from(section(data, "scan", problems), problems)
    return Config(secrets, suites, timeout_s, waivers, receipts, environments, supply, rehearsal, scan)


_ENVIRONMENT_TEXTS = ("context", "cluster_uid", "registry", "overlay", "terraform", "confirm", "from", "provenance")


def _environments(tables: dict[str, Any], suites: set[str], problems: list[str]) -> dict[str, Environment]:
    found = {}
    for name, table in tables.items():
        before, prefix = len(problems), f"environments.{name}"
        if not isinstance(table, dict):
            problems.append(f"{name}\0`{prefix}` must be a table with `context` and `cluster_uid`")
            continue
        refuse_unknown(table, {*_ENVIRONMENT_TEXTS, "backend", "suites", "smoke", "timeout_s", "gitops"}, f"{prefix}.",
                       problems)
        problems += [f"{name}\0`{prefix}.{key}` must be a text"
                     for key in _ENVIRONMENT_TEXTS if not isinstance(table.get(key, ""), str)]
        problems += [f"{name}\0`{prefix}.{key}` must be a list of texts" for key in ("suites", "smoke")
                     if not (isinstance(table.get(key, []), list)
                             and all(isinstance(one, str) for one in table.get(key, [])))]
        problems += [f"{name}\0`{prefix}.{key}` is missing" for key in ("context", "cluster_uid") if not table.get(key)]
        backend, timeout_s = table.get("backend", {}), table.get("timeout_s", Environment.timeout_s)
        if not (isinstance(backend, dict) and all(isinstance(value, str) for value in backend.values())):
            problems.append(f"{name}\0`{prefix}.backend` must be a table of texts")
        if isinstance(timeout_s, bool) or not isinstance(timeout_s, (int, float)) or timeout_s <= 0:
            problems.append(f"{name}\0`{prefix}.timeout_s` must be a number of seconds above 0")
        if table.get("confirm", "yes") not in ("yes", "type"):
            problems.append(f"{name}\0`{prefix}.confirm` must be \"yes\" or \"type\"")
        if table.get("from", "") not in ("", *(other for other in tables if other != name)):
            problems.append(f"{name}\0`{prefix}.from` names no other environment")
        if table.get("provenance", "") not in ("", "warn", "ci"):
            problems.append(f"{name}\0`{prefix}.provenance` must be \"ci\" or \"warn\"")
        gitops = gitops_from(table, prefix, problems)
        if len(problems) > before:
            continue
        problems += [f"{name}\0`{prefix}.suites` has `{one}`, which is no suite of [test]"
                     for one in table.get("suites", []) if one not in suites]
        found[name] = Environment(
            name, table["context"], table["cluster_uid"], table.get("registry", "").rstrip("/"),
            table.get("overlay") or name, table.get("terraform", ""), backend, tuple(table.get("suites", [])),
            table.get("confirm", "yes"), table.get("from", ""), tuple(table.get("smoke", [])), float(timeout_s),
            table.get("provenance", ""), gitops)
    return found


def _suites(test: dict[str, Any], problems: list[str]) -> tuple[Suite, ...]:
    suites = []
    for name, suite in test.items():
        if not isinstance(suite, dict):
            problems.append(f"{name}\0`test.{name}` must be a table with `command`")
            continue
        refuse_unknown(suite, {"command", "needs_platform", "programs", "may_skip"}, f"test.{name}.", problems)
        command = suite.get("command")
        if not (isinstance(command, list) and command and all(isinstance(word, str) for word in command)):
            problems.append(f"{name}\0`test.{name}.command` must be a list of texts, one for each argument")
            continue
        needs = suite.get("needs_platform", False)
        if not isinstance(needs, bool):
            problems.append(f"{name}\0`test.{name}.needs_platform` must be true or false")
            continue
        lists = {key: suite.get(key, []) for key in ("programs", "may_skip")}
        odd = [key for key, value in lists.items()
               if not (isinstance(value, list) and all(isinstance(one, str) and one for one in value))]
        if odd:
            problems += [f"{name}\0`test.{name}.{key}` must be a list of texts" for key in odd]
            continue
        suites.append(Suite(name, tuple(command), needs, tuple(lists["programs"]), tuple(lists["may_skip"])))
    return tuple(suites)


def _receipts(table: dict[str, Any], problems: list[str]) -> Receipts:
    refuse_unknown(table, {"key", "allowed_signers"}, "receipts.", problems)
    problems += [f"{key}\0`receipts.{key}` must be a text: a path"
                 for key in ("key", "allowed_signers") if not isinstance(table.get(key, ""), str)]
    return Receipts(str(table.get("key", "")), str(table.get("allowed_signers", "")))


def _waivers(parity: dict[str, Any], problems: list[str]) -> tuple[Waiver, ...]:
    refuse_unknown(parity, {"waivers"}, "parity.", problems)
    tables = waiver_tables(parity, "parity", ("class", lambda value: value in PARITY_CLASSES,
                                              f"a `class`: {', '.join(PARITY_CLASSES)}"), _WAIVER_TEXTS, problems)
    return tuple(Waiver(category=one["class"], **{key: value for key, value in one.items() if key != "class"})
                 for one in tables)


def _split(problem: str) -> tuple[str, str]:
    key, _, text = problem.partition("\0")
    return key, text


def _line(text: str, key: str) -> str:
    """`line 3: ` for the first line that mentions `key` as a key or in a table's name."""
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(rf"\s*(\[.*\b{re.escape(key)}\b.*\]|[\"']?{re.escape(key)}[\"']?\s*=)", line):
            return f"line {number}: "
    return ""
