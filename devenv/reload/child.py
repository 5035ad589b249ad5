"""What a forked child of kind `asgi` does from its first moment to its last."""

from __future__ import annotations

import importlib
import logging
import socket
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Optional

from . import fresh
from .channel import Channel
from .journal import Journal, describe
from .processes import prefer_as_victim
from .serving import ServingServer
from .settings import Settings

_LONGEST_CHARACTERS = 30_000


def serve(settings: Settings, options: Mapping[str, Any], listeners: Sequence[socket.socket], channel: Channel,
          names: set[str], *, is_first: bool, stand_in: Optional[Any] = None) -> int:
    """Import the application and serve it as uvicorn would, until told to stop; returns the exit code.

    `options` are uvicorn's own, parsed by itself. A `stand_in` is served in the application's place.
    """
    prefer_as_victim(not is_first)
    inherited = frozenset(sys.modules)
    fresh.put_first(settings.sources, names, then=[options.get("app_dir") or ""])
    journal = Journal(is_quiet=not is_first)
    logging.getLogger("uvicorn.error").addFilter(journal)
    # uvicorn's command does all the rest with its own server class replaced: every option keeps its meaning.
    uvicorn: Any = importlib.import_module("uvicorn.main")
    uvicorn.Server = lambda config: ServingServer(config, listeners, channel, settings, journal, inherited)
    changes: dict[str, Any] = {"app_dir": None, "uds": None, "fd": None, "workers": 1, "reload": False,
                               "reload_dirs": [], "reload_includes": [], "reload_excludes": []}
    if stand_in:
        changes.update(app=stand_in, factory=False, lifespan="off", interface="asgi3")
    code, reasons = 0, []
    try:
        uvicorn.main.callback(**{**options, **changes})
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        reasons = journal.errors or [stop.code if isinstance(stop.code, str) else f"it ended with exit code {code}"]
    except BaseException as failure:
        if journal.is_serving:
            raise
        code, reasons = 1, [describe(failure)]
    if journal.is_serving:
        return code
    reasons = [reason.strip()[-_LONGEST_CHARACTERS:] for reason in reasons if reason.strip()]
    reasons = reasons or ["it ended before it served"]
    # The first error is the application's; what follows is uvicorn's comment.
    channel.send("failed", headline=reasons[0].splitlines()[-1], details="\n".join(reasons))
    return code or 1
