"""A Compose definition as the options of one container: all it says, but a network, ports and data of our own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devenv.errors import DevenvError
from devenv.testing.labels import SET

# Compose's key -> the Docker SDK's, where the value can be handed on as it is.
_SAME = {
    "cap_add": "cap_add", "cap_drop": "cap_drop", "cgroup_parent": "cgroup_parent", "command": "command",
    "cpu_period": "cpu_period", "cpu_quota": "cpu_quota", "cpu_shares": "cpu_shares", "cpuset": "cpuset_cpus",
    "device_cgroup_rules": "device_cgroup_rules", "dns": "dns", "dns_opt": "dns_opt", "dns_search": "dns_search",
    "domainname": "domainname", "entrypoint": "entrypoint", "group_add": "group_add", "hostname": "hostname",
    "init": "init", "ipc": "ipc_mode", "mem_limit": "mem_limit", "mem_reservation": "mem_reservation",
    "mem_swappiness": "mem_swappiness", "memswap_limit": "memswap_limit", "oom_kill_disable": "oom_kill_disable",
    "oom_score_adj": "oom_score_adj", "pids_limit": "pids_limit", "platform": "platform",
    "privileged": "privileged", "read_only": "read_only", "runtime": "runtime", "security_opt": "security_opt",
    "shm_size": "shm_size", "stdin_open": "stdin_open", "stop_signal": "stop_signal", "sysctls": "sysctls",
    "tty": "tty", "user": "user", "userns_mode": "userns_mode", "working_dir": "working_dir",
}
# Read elsewhere, or ours to decide: the set has its own network, ports, names, and order of starting.
_OURS = {
    "annotations", "build", "configs", "container_name", "cpus", "depends_on", "deploy", "develop", "devices",
    "environment", "env_file", "expose", "extends", "extra_hosts", "healthcheck", "image", "labels", "label_file",
    "links", "logging", "networks", "ports", "profiles", "pull_policy", "restart", "scale", "secrets",
    "stop_grace_period", "tmpfs", "ulimits", "volumes",
}


def options(name: str, definition: Mapping[str, Any], labels: Mapping[str, str],
            data_paths: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Options for the Docker SDK's `containers.create`; `data_paths` are what the image declares as its volumes.

    Raises DevenvError for a key that would need more than a container of its own.
    """
    for key, value in definition.items():
        if value and key not in _SAME and key not in _OURS and not key.startswith("x-"):
            raise DevenvError(f"`{name}` uses `{key}`, which devenv.testing does not carry over to its own container",
                              "take it out, or start this one yourself with testcontainers")
    made = {ours: definition[key] for key, ours in _SAME.items() if definition.get(key) is not None}
    made["labels"] = dict(labels)
    made["mounts"] = [_mount(entry, labels, data_paths) for entry in definition.get("volumes") or ()]
    # We run the check ourselves, as often as it is useful: an idle set costs nothing.
    made["healthcheck"] = {"test": ["NONE"]}
    if tmpfs := definition.get("tmpfs"):
        pairs = (entry.partition(":") for entry in tmpfs)
        made["tmpfs"] = {path: flags for path, _, flags in pairs}
    if hosts := definition.get("extra_hosts"):
        made["extra_hosts"] = dict(entry.split("=", 1) for entry in hosts)
    if devices := definition.get("devices"):
        made["devices"] = [f"{one['source']}:{one['target']}:{one.get('permissions', 'rwm')}" for one in devices]
    if ulimits := definition.get("ulimits"):
        made["ulimits"] = [
            {"name": key, "soft": value["soft"], "hard": value["hard"]} if isinstance(value, dict)
            else {"name": key, "soft": value, "hard": value}
            for key, value in ulimits.items()
        ]
    limits = ((definition.get("deploy") or {}).get("resources") or {}).get("limits") or {}
    if cpus := limits.get("cpus") or definition.get("cpus"):
        made["nano_cpus"] = int(float(cpus) * 1e9)
    if memory := limits.get("memory"):
        made["mem_limit"] = memory
    if pids := limits.get("pids"):
        made["pids_limit"] = int(pids)
    return made


def targets(definition: Mapping[str, Any], exposed: Mapping[str, Any]) -> set[int]:
    """The TCP ports inside the container that anybody may want: published, exposed, or declared by the image."""
    wanted = {int(entry["target"]) for entry in definition.get("ports") or ()
              if entry.get("protocol", "tcp") == "tcp"}
    declared = [str(entry) for entry in (*(definition.get("expose") or ()), *exposed)]
    for entry in declared:
        first, _, last = entry.removesuffix("/tcp").partition("-")
        if first.isdigit():
            wanted |= set(range(int(first), int(last or first) + 1))
    return wanted


def aliases(name: str, definition: Mapping[str, Any]) -> list[str]:
    """The names by which others of the project reach it."""
    networks = (definition.get("networks") or {}).values()
    more = [alias for network in networks for alias in (network or {}).get("aliases") or ()]
    return list(dict.fromkeys([name, *filter(None, [definition.get("container_name")]), *more]))


def file_mounts(model: Mapping[str, Any], definition: Mapping[str, Any], scratch: Path) -> list[dict[str, Any]]:
    """Compose's `secrets` and `configs` as read-only mounts; what has no file of its own is written to `scratch`."""
    made = []
    for section in ("secrets", "configs"):
        for entry in definition.get(section) or ():
            source = model[section][entry["source"]]
            path = source.get("file")
            if path is None:
                content = source.get("content", os.environ.get(source.get("environment", ""), ""))
                file = scratch / section / entry["source"]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(content)
                file.chmod(0o644)  # the container's user is another one
                path = str(file)
            target = entry.get("target") or (
                f"/run/secrets/{entry['source']}" if section == "secrets" else f"/{entry['source']}")
            if not target.startswith("/"):
                target = f"/run/secrets/{target}"
            made.append({"Type": "bind", "Source": path, "Target": target, "ReadOnly": True})
    return made


def _mount(entry: Mapping[str, Any], labels: Mapping[str, str], data_paths: frozenset[str]) -> dict[str, Any]:
    kind, target = entry["type"], entry["target"]
    if kind == "tmpfs":
        flags = entry.get("tmpfs") or {}
        given = {"SizeBytes": int(flags["size"]) if "size" in flags else None, "Mode": flags.get("mode")}
        return {"Type": "tmpfs", "Target": target,
                "TmpfsOptions": {key: value for key, value in given.items() if value is not None}}
    if kind == "bind" and target not in data_paths:
        # Never written through: a developer's directory is no place for a test's data.
        return {"Type": "bind", "Source": entry["source"], "Target": target, "ReadOnly": True}
    mount = {"Type": "volume", "Target": target, "ReadOnly": bool(entry.get("read_only"))}
    if kind == "volume" and entry.get("source"):
        # Of the set, not of the project: what `devenv up` keeps is never touched.
        mount |= {"Source": f"{labels[SET]}-{entry['source']}", "VolumeOptions": {"Labels": dict(labels)}}
    return mount
