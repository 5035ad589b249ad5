"""The ids that passed lately, so that a message delivered twice is shown once."""

from __future__ import annotations


class Recent:
    """Remembers the newest `size` ids; older ones are forgotten, oldest first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._ids: dict[str, None] = {}

    def is_new(self, id: str) -> bool:
        """Whether `id` has not passed before; from now on it has."""
        if id in self._ids:
            # Seen again: a redelivery often comes more than once, so it counts as young.
            self._ids[id] = self._ids.pop(id)
            return False
        self._ids[id] = None
        if len(self._ids) > self._size:
            del self._ids[next(iter(self._ids))]
        return True
