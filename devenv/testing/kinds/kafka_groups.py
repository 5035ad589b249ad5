"""Deleting consumer groups, which aiokafka's admin client has the requests for, but no method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from devenv.errors import DevenvError

ATTEMPTS = 3
# Error codes of the protocol (kafka.apache.org/protocol, "Error Codes").
_DONE, _NON_EMPTY, _NOT_FOUND = 0, 68, 69


async def list_groups(client: Any, prefix: str) -> list[str]:
    """The names of all groups that begin with `prefix`."""
    return sorted({name for name, *_ in await client.list_consumer_groups() if name.startswith(prefix)})


async def delete_groups(client: Any, names: list[str], module: Callable[[str], Any]) -> None:
    """Delete groups with their offsets; members that are still in one, such as a killed container's, are put out first.

    Raises DevenvError for a group that its members join again at once.
    """
    for name in names:
        coordinator = await client.find_coordinator(name)
        for _ in range(ATTEMPTS):
            await _put_out_members(client, name, coordinator, module)
            answer = await client._send_request(
                _newest(module("protocol.admin").DeleteGroupsRequest)([name]), coordinator)
            code = answer.results[0][1]
            if code != _NON_EMPTY:
                break
        if code not in (_DONE, _NOT_FOUND):
            why = "its consumers join it again" if code == _NON_EMPTY else f"Kafka says error {code}"
            raise DevenvError(f"the consumer group `{name}` could not be deleted: {why}",
                              "stop its consumers at the end of the test")


async def _put_out_members(client: Any, group: str, coordinator: int, module: Callable[[str], Any]) -> None:
    leave = _newest(module("protocol.group").LeaveGroupRequest)
    [answer] = await client.describe_consumer_groups([group], coordinator)
    members = [member[0] for described in answer.groups for member in described[5]]
    for member in members:
        await client._send_request(leave(group, member), coordinator)


def _newest(request: Any) -> Any:
    """Before aiokafka 0.13 a request was the list of its versions."""
    return request[-1] if isinstance(request, list) else request
