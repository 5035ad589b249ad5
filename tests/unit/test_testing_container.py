"""Compose definitions as options of one container."""

from __future__ import annotations

from pathlib import Path

import pytest

from devenv.errors import DevenvError
from devenv.testing.container import aliases, file_mounts, options, targets
from devenv.testing.labels import NAME, PROJECT, SET

LABELS = {PROJECT: "p", SET: "p-test-1", NAME: "db"}


def test_what_the_definition_says_is_carried_over() -> None:
    made = options("db", {
        "image": "x", "command": ["a", "b"], "user": "5:5", "read_only": True, "init": True, "tmpfs": ["/tmp:size=1m"],
        "cap_drop": ["ALL"], "ulimits": {"nofile": 9, "nproc": {"soft": 1, "hard": 2}}, "shm_size": "64",
        "extra_hosts": ["a=1.2.3.4"], "devices": [{"source": "/dev/null", "target": "/dev/x", "permissions": "r"}],
        "deploy": {"resources": {"limits": {"cpus": 1.5, "memory": "1024", "pids": 7}}},
    }, LABELS)
    assert made == {
        "command": ["a", "b"], "user": "5:5", "read_only": True, "init": True, "tmpfs": {"/tmp": "size=1m"},
        "cap_drop": ["ALL"], "shm_size": "64", "extra_hosts": {"a": "1.2.3.4"}, "devices": ["/dev/null:/dev/x:r"],
        "ulimits": [{"name": "nofile", "soft": 9, "hard": 9}, {"name": "nproc", "soft": 1, "hard": 2}],
        "nano_cpus": 1_500_000_000, "mem_limit": "1024", "pids_limit": 7,
        "healthcheck": {"test": ["NONE"]}, "labels": LABELS, "mounts": [],
    }


def test_restart_policy_ports_and_networks_are_not_carried_over() -> None:
    made = options("db", {"restart": "always", "ports": [{"target": 1}], "networks": {"n": None}}, LABELS)
    assert made.keys() == {"healthcheck", "labels", "mounts"}


def test_key_that_needs_more_than_a_container_is_refused_by_name() -> None:
    with pytest.raises(DevenvError, match="`db` uses `network_mode`"):
        options("db", {"network_mode": "host"}, LABELS)


def test_named_volume_becomes_the_sets_own() -> None:
    made = options("db", {"volumes": [{"type": "volume", "source": "data", "target": "/data"}]}, LABELS)
    assert made["mounts"] == [{"Type": "volume", "Target": "/data", "ReadOnly": False, "Source": "p-test-1-data",
                               "VolumeOptions": {"Labels": LABELS}}]


def test_bind_mount_is_never_written_through() -> None:
    made = options("db", {"volumes": [{"type": "bind", "source": "/src", "target": "/etc/x"}]}, LABELS)
    assert made["mounts"] == [{"Type": "bind", "Source": "/src", "Target": "/etc/x", "ReadOnly": True}]


def test_bind_mount_over_the_images_data_is_replaced_by_a_new_volume() -> None:
    entry = {"type": "bind", "source": "/home/me/pgdata", "target": "/var/lib/data"}
    made = options("db", {"volumes": [entry]}, LABELS, frozenset(["/var/lib/data"]))
    assert made["mounts"] == [{"Type": "volume", "Target": "/var/lib/data", "ReadOnly": False}]


def test_ports_that_anybody_may_want() -> None:
    definition = {"ports": [{"target": 80, "protocol": "tcp"}, {"target": 53, "protocol": "udp"}],
                  "expose": ["9000-9002", "1/udp"]}
    assert targets(definition, {"6379/tcp": {}, "7/udp": {}}) == {80, 9000, 9001, 9002, 6379}


def test_aliases_are_all_names_of_the_definition() -> None:
    definition = {"container_name": "old", "networks": {"a": {"aliases": ["x"]}, "b": None}}
    assert aliases("db", definition) == ["db", "old", "x"]


def test_secrets_and_configs_become_read_only_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "t0k")
    model = {"secrets": {"s": {"file": "/f"}, "e": {"environment": "TOKEN"}}, "configs": {"c": {"content": "hi"}}}
    definition = {"secrets": [{"source": "s"}, {"source": "e", "target": "name"}],
                  "configs": [{"source": "c", "target": "/etc/c"}]}
    mounts = file_mounts(model, definition, tmp_path)
    assert [mount["Target"] for mount in mounts] == ["/run/secrets/s", "/run/secrets/name", "/etc/c"]
    assert all(mount["ReadOnly"] for mount in mounts)
    assert mounts[0]["Source"] == "/f"
    assert [Path(mount["Source"]).read_text() for mount in mounts[1:]] == ["t0k", "hi"]
