"""Logs on stdout, one JSON object a line, each with the id of the request that it belongs to."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from contextvars import ContextVar

# Set by the ASGI frame for a request and by a consumer for a record; empty outside both.
request_id: ContextVar[str] = ContextVar("request_id", default="")

# Libraries whose errors are wanted, but not their chatter: the access log and /readyz say the rest, once.
CLIENTS = ("aiokafka", "botocore", "httpcore", "httpx", "pymongo")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class JsonFormatter(logging.Formatter):
    """A record as JSON: time, level, logger, message, service, request_id, then whatever `extra` brought."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self.service = service

    def format(self, record: logging.LogRecord) -> str:
        """Render the record."""
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "service": self.service,
        }
        if current := request_id.get():
            line["request_id"] = current
        line.update((key, value) for key, value in vars(record).items() if key not in _STANDARD)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


class Repetitions(logging.Filter):
    """Lets a client of a backend say the same at most every `quiet_s`: it reports each of ten attempts a second."""

    def __init__(self, quiet_s: float = 10.0) -> None:
        super().__init__()
        self._quiet_s = quiet_s
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write the record."""
        if record.name.partition(".")[0] not in CLIENTS:
            return True
        what = (record.name, str(record.msg))
        if record.created - self._said.get(what, 0.0) < self._quiet_s:
            return False
        if len(self._said) >= 1000:
            self._said.clear()
        self._said[what] = record.created
        return True


def configure(service: str) -> None:
    """Send every logger through the JSON formatter at LOG_LEVEL (default: info), uvicorn's included."""
    level = os.environ.get("LOG_LEVEL", "").upper() or "INFO"
    if level not in logging.getLevelNamesMapping():
        raise ValueError(f"LOG_LEVEL {level!r} is no level; use debug, info, warning or error")
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter(service))
    logging.root.handlers = [handler]
    logging.root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = name != "uvicorn.access"  # the frame writes its own access log
    handler.addFilter(Repetitions())
    for name in CLIENTS:
        logging.getLogger(name).setLevel(max(logging.ERROR, logging.root.level))
