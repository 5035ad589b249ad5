"""What went wrong in a child, in words for the author of the code."""

from __future__ import annotations

import logging
import traceback

# Frames between the application's own ones in a traceback, of no interest to its author.
_HERE = __file__.rpartition("/")[0] + "/"
_MACHINERY = ("<frozen importlib", "/importlib/", "/uvicorn/", "/click/", "/asyncio/", _HERE)
# uvicorn's modules that report progress: `server` and `lifespan.on`.
_PROGRESS = ("server", "on")


def describe(failure: BaseException) -> str:
    """A traceback without the frames between the reloader and the application."""
    told = traceback.TracebackException.from_exception(failure)
    frames = [frame for frame in told.stack if not any(part in frame.filename for part in _MACHINERY)]
    if not frames:
        return "".join(told.format_exception_only())
    told.stack = traceback.StackSummary.from_list(frames)
    return "".join(told.format())


class Journal(logging.Filter):
    """Keeps back what uvicorn logs but the parent says better: why a start failed, and that a reload goes on."""

    def __init__(self, is_quiet: bool) -> None:
        super().__init__()
        self.errors: list[str] = []
        self.is_serving = False
        self.is_quiet = is_quiet

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= logging.ERROR and not self.is_serving:
            exception = record.exc_info[1] if record.exc_info else None
            self.errors.append(describe(exception) if exception else record.getMessage())
            return False
        return not (self.is_quiet and record.levelno <= logging.INFO and record.module in _PROGRESS)
