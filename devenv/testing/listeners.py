"""Kafka from this machine: a broker tells its clients where to come back to, so it needs a listener of its own for us.

The added listener copies the one that the services use: same protocol, same logins. Theirs stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from devenv.errors import DevenvError

NAME = "DEVENV"
# What Apache's image does by itself where the environment says nothing of listeners (its docker/README).
_DEFAULTS = {
    "NODE_ID": "1",
    "PROCESS_ROLES": "broker,controller",
    "LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
    "ADVERTISED_LISTENERS": "PLAINTEXT://localhost:9092",
    "CONTROLLER_LISTENER_NAMES": "CONTROLLER",
    "LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
    "OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
    "TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
    "TRANSACTION_STATE_LOG_MIN_ISR": "1",
    "GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
}
_LOGIN = re.compile(r'\buser_([^=\s]+)="([^"]*)"')
_PAIR = re.compile(r'\busername="([^"]*)"\s+password="([^"]*)"')


@dataclass(frozen=True)
class Listener:
    """The listener that services use, and the port inside the container that ours is to have."""

    prefix: str  # of the variables: `KAFKA_`, or `KAFKA_CFG_` in Bitnami's image
    name: str
    port: int  # what services connect to
    protocol: str
    mechanism: str
    username: str
    password: str
    host_port_inside: int


def among(service: str, environments: Mapping[str, Mapping[str, str]]) -> Listener:
    """The listener of the broker `service` that the others use; `environments` are those of all services."""
    mentioned = [value for environment in environments.values() for value in environment.values()]
    return find(service, environments[service], mentioned)


def find(service: str, environment: Mapping[str, str], mentioned: Iterable[str] = ()) -> Listener:
    """The listener of the broker `service` that others use; `mentioned` are values of their environments.

    Raises DevenvError where the listeners cannot be read.
    """
    prefix = _prefix(environment)
    values = _complete(environment, prefix)
    advertised = _parse(service, values["ADVERTISED_LISTENERS"])
    listening = _parse(service, values["LISTENERS"])
    name, port = _used(service, advertised, mentioned)
    protocols = dict(pair.strip().split(":", 1) for pair in values["LISTENER_SECURITY_PROTOCOL_MAP"].split(","))
    if name not in listening or name not in protocols:
        raise DevenvError(f"the listener `{name}` that `{service}` advertises is not in {prefix}LISTENERS "
                          f"and {prefix}LISTENER_SECURITY_PROTOCOL_MAP", "mend them in the Compose file")
    taken = {one for _, one in (*listening.values(), *advertised.values())}
    inside = next(candidate for candidate in range(19092, 19192) if candidate not in taken)
    username, password = _login(values, name)
    mechanism = values.get(f"LISTENER_NAME_{name}_SASL_ENABLED_MECHANISMS") or values.get("SASL_ENABLED_MECHANISMS", "")
    return Listener(prefix, name, port, protocols[name], mechanism.split(",")[0], username, password, inside)


def with_ours(environment: Mapping[str, str], used: Listener, host_port: int) -> dict[str, str]:
    """`environment` with one listener more, which is advertised as `127.0.0.1:host_port`."""
    values = _complete(environment, used.prefix)
    theirs, ours = f"LISTENER_NAME_{used.name}_", f"LISTENER_NAME_{NAME}_"
    values |= {ours + key.removeprefix(theirs): value for key, value in values.items() if key.startswith(theirs)}
    values["LISTENERS"] += f",{NAME}://:{used.host_port_inside}"
    values["ADVERTISED_LISTENERS"] += f",{NAME}://127.0.0.1:{host_port}"
    values["LISTENER_SECURITY_PROTOCOL_MAP"] += f",{NAME}:{used.protocol}"
    return {**environment, **{used.prefix + key: value for key, value in values.items()}}


def _prefix(environment: Mapping[str, str]) -> str:
    return "KAFKA_CFG_" if any(key.startswith("KAFKA_CFG_") for key in environment) else "KAFKA_"


def _complete(environment: Mapping[str, str], prefix: str) -> dict[str, str]:
    values = {key.removeprefix(prefix): value for key, value in environment.items() if key.startswith(prefix)}
    if "LISTENERS" not in values and "ADVERTISED_LISTENERS" not in values:
        return {**_DEFAULTS, **values}
    values.setdefault("LISTENERS", values.get("ADVERTISED_LISTENERS", ""))
    values.setdefault("ADVERTISED_LISTENERS", values["LISTENERS"])
    # Without a map, a listener is named after its protocol (Kafka's own default).
    names = [entry.partition("://")[0].strip() for entry in values["LISTENERS"].split(",")]
    values.setdefault("LISTENER_SECURITY_PROTOCOL_MAP", ",".join(f"{name}:{name}" for name in names))
    return values


def _parse(service: str, text: str) -> dict[str, tuple[str, int]]:
    """`NAME://host:port,...` as name -> (host, port)."""
    found = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, separator, address = entry.partition("://")
        try:
            split = urlsplit(f"//{address}")
            found[name] = (split.hostname or "", split.port or 0)
        except ValueError:
            separator = ""
        if not separator:
            raise DevenvError(f"`{service}` has a listener that cannot be read: `{entry}`",
                              "write it as NAME://host:port in the Compose file")
    return found


def _used(service: str, advertised: Mapping[str, tuple[str, int]], mentioned: Iterable[str]) -> tuple[str, int]:
    """The listener whose address other services have, else one for other containers, else the first."""
    said = set(re.findall(rf"(?<![\w.-]){re.escape(service)}:(\d+)\b", " ".join(mentioned)))
    ranked = sorted(
        advertised.items(),
        key=lambda item: (str(item[1][1]) not in said, item[1][0] in ("localhost", "127.0.0.1")),
    )
    if not ranked:
        raise DevenvError(f"`{service}` advertises no listener", "set KAFKA_ADVERTISED_LISTENERS in the Compose file")
    name, (_, port) = ranked[0]
    return name, port


def _login(values: Mapping[str, str], name: str) -> tuple[str, str]:
    """The first user that the listener's JAAS configuration knows."""
    for key, value in values.items():
        is_its_own = key.startswith(f"LISTENER_NAME_{name}_") or not key.startswith("LISTENER_NAME_")
        match = _LOGIN.search(value) or _PAIR.search(value)
        if match and is_its_own and key.endswith("SASL_JAAS_CONFIG"):
            return match[1], match[2]
    return "", ""
