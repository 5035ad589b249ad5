"""Compose's side: `docker compose config`, read into facts."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from devenv.model import Model, Service
from devenv.parity.facts import UNKNOWN, Platform, Workload, ports_in, secret, secrets_in
from devenv.parity.units import cores, image, memory, seconds

_URL = re.compile(r"https?://(?:localhost|127\.0\.0\.1|\[::1\])(?::(\d+))?(/[^\s'\"|;)]*)?")
_MARKER = re.compile(r"devenv-secret-([A-Z0-9_]+)-")
_USER = re.compile(r"^\s*USER\s+(\S+)", re.MULTILINE | re.IGNORECASE)
_FROM = re.compile(r"^\s*FROM\s", re.MULTILINE | re.IGNORECASE)


def marker(name: str) -> str:
    """What stands in for a secret's value, so that the places it goes to can be told."""
    return f"devenv-secret-{name}-"


def read(model: Model) -> Platform:
    """All services of the model; the secrets in it are `marker`s."""
    environments = {name: _environment(service) for name, service in model.services.items()}
    project = str(model.data.get("name", ""))
    return Platform({
        name: Workload(
            name=name,
            is_backend=not service.is_built,
            is_optional=service.is_optional or service.is_seed,
            facts={
                "services": _runs(service, name in model.one_shots),
                "images": {"image": _image(service, project)[0]},
                "versions": {} if service.is_built else {"version": _image(service, project)[1]},
                "environment": environments[name],
                "secrets": {
                    **{key: secrets_in(value) for key, value in environments[name].items() if secrets_in(value)},
                    **{_target(entry, "/run/secrets/"): "a file" for entry in service.definition.get("secrets") or []},
                },
                "ports": {port: "open" for port in _ports(service) | ports_in(environments, name)},
                "health": _health(service),
                "timing": _timing(service),
                "order": {need: wanted.removeprefix("service_").removesuffix("_successfully")
                          for need, wanted in service.needs.items()},
                "volumes": _volumes(service),
                "limits": _limits(service),
                "security": _security(service),
            },
        )
        for name, service in model.services.items()
    })


def words(command: Iterable[Any] | None) -> str:
    """A command as one line; the image's own where none is given."""
    return shlex.join(str(word).replace("$$", "$") for word in command) if command else "the image's own"


def endpoint(url: re.Match[str]) -> str:
    """A URL of a health check, spelled like a probe."""
    port = url[1] or ("443" if url[0].startswith("https") else "80")
    return f"GET {url[2] or '/'} on {port}"


def port_name(number: Any, protocol: Any) -> str:
    """`8080`, or `53/udp`: TCP goes without saying."""
    lower = str(protocol or "tcp").lower()
    return str(number) if lower == "tcp" else f"{number}/{lower}"


def _environment(service: Service) -> dict[str, str]:
    variables = service.definition.get("environment") or {}
    return {
        key: _MARKER.sub(lambda found: secret(found[1]), str(value)).replace("$$", "$")
        for key, value in variables.items() if value is not None
    }


def _runs(service: Service, one_shot: bool) -> dict[str, str]:
    return {
        # What a profile keeps out of a plain `up` may be either.
        "runs": "once" if one_shot or service.is_seed else UNKNOWN if service.is_optional else "always",
        "entrypoint": words(service.definition.get("entrypoint")),
        "command": words(service.definition.get("command")),
    }


def _image(service: Service, project: str) -> tuple[str, str]:
    name, version = image(str(service.definition.get("image") or f"{project}-{service.name}"))
    if service.is_built:
        # Registry and project are where an image is kept; its last part says what it is.
        name = name.rpartition("/")[2].removeprefix(f"{project}-").removeprefix(f"{project}_")
    return name, version


def _ports(service: Service) -> set[str]:
    published = {port_name(entry["target"], entry.get("protocol")) for entry in service.definition.get("ports") or []}
    exposed = {str(port).removesuffix("/tcp") for port in service.definition.get("expose") or []}
    return published | exposed


def _check(service: Service) -> tuple[Mapping[str, Any], list[str]]:
    check = service.definition.get("healthcheck") or {}
    test = check.get("test") or []
    return (check, list(test)) if test and test[0] != "NONE" and not check.get("disable") else ({}, [])


def _health(service: Service) -> dict[str, str]:
    _, test = _check(service)
    if not test:
        return {}
    url = _URL.search(" ".join(test))
    return {"check": endpoint(url) if url else words(test[1:] if test[0] == "CMD" else ["sh", "-c", *test[1:]])}


def _timing(service: Service) -> dict[str, str]:
    check, test = _check(service)
    found = {"stop grace": seconds(service.definition.get("stop_grace_period", "10s"))}
    if test:
        found |= {
            "interval": seconds(check.get("interval", "30s")),
            "timeout": seconds(check.get("timeout", "30s")),
            "retries": str(check.get("retries", 3)),
            "start period": seconds(check.get("start_period", "0s")),
            "start interval": seconds(check.get("start_interval", "5s")),
        }
    return found


def _target(entry: Mapping[str, Any], directory: str) -> str:
    target = str(entry.get("target") or entry["source"])
    return target if target.startswith("/") else directory + target


def _volumes(service: Service) -> dict[str, str]:
    kinds = {"volume": "data", "tmpfs": "scratch", "bind": "a directory of the machine"}
    found = {path.split(":")[0]: "scratch" for path in service.definition.get("tmpfs") or []}
    for mount in service.definition.get("volumes") or []:
        kind = kinds.get(mount["type"], str(mount["type"]))
        found[mount["target"]] = f"{kind}, read-only" if mount.get("read_only") else kind
    for entry in service.definition.get("configs") or []:
        found[_target(entry, "/")] = "a file"
    return found


def _limits(service: Service) -> dict[str, str]:
    limits = ((service.definition.get("deploy") or {}).get("resources") or {}).get("limits") or {}
    found = {"memory": limits.get("memory") or service.definition.get("mem_limit"),
             "cpu": limits.get("cpus") or service.definition.get("cpus")}
    spelling = {"memory": memory, "cpu": cores}
    return {key: spelling[key](value) for key, value in found.items() if value}


def _security(service: Service) -> dict[str, str]:
    definition = service.definition
    user, _, group = str(definition.get("user") or _image_user(service)).partition(":")
    options = {str(option).replace("=", ":") for option in definition.get("security_opt") or []}
    return {
        "user": user if user.isdigit() else UNKNOWN,
        "group": group if group.isdigit() else UNKNOWN,
        "read-only root": "yes" if definition.get("read_only") else "no",
        "privileged": "yes" if definition.get("privileged") else "no",
        "more rights by exec": "no" if options & {"no-new-privileges", "no-new-privileges:true"} else "yes",
        **capabilities(definition.get("cap_drop"), definition.get("cap_add")),
    }


def capabilities(dropped: Iterable[str] | None, added: Iterable[str] | None) -> dict[str, str]:
    """Linux capabilities, in the spelling without `CAP_`."""
    lists = {"capabilities dropped": dropped, "capabilities added": added}
    return {key: " ".join(sorted(one.upper().removeprefix("CAP_") for one in listed or ())) or "none"
            for key, listed in lists.items()}


def _image_user(service: Service) -> str:
    """The user that the Dockerfile ends with, where it can be read."""
    build = service.definition.get("build") or {}
    if not build or build.get("dockerfile_inline"):
        return UNKNOWN
    try:
        text = Path(build["context"], build.get("dockerfile", "Dockerfile")).read_text()
    except OSError:
        return UNKNOWN
    users = _USER.findall(_FROM.split(text)[-1])
    return users[-1] if users else UNKNOWN
