"""Structured logs: one JSON object a line, by allow-list, with document and trace ids."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

_ALLOWED = frozenset(
    {
        "action", "after", "attempt", "attempts", "code", "component", "connection", "consumer",
        "count", "deaths", "delivery_id", "document_id", "entity", "error", "event", "events",
        "exception", "finding", "flow", "hold_id", "job", "level", "logger", "name", "outcome", "path",
        "pid", "port", "reason", "receipt_id", "receipts", "role", "seconds", "server", "signal",
        "stage", "state", "stream", "target", "timestamp", "trace_id", "url", "version", "where",
        "worker",
    }
)  # fmt: skip
"""The only keys that reach a log line: what a document says is not among them."""


def _allow(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {key: value for key, value in event.items() if key in _ALLOWED}


def configure(*, json: bool, level: str = "INFO", stream: TextIO = sys.stderr) -> None:
    """Set up structlog and the standard library's logging, once, from the composition root.

    Args:
        json: one JSON object a line; else lines for people.
        level: lowest level shown.
        stream: where to.
    """
    renderer = (
        structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _exception_name,
            _allow,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.WriteLoggerFactory(stream),
    )
    # Libraries may log what they send (URLs, bodies): warnings and worse only.
    logging.basicConfig(level=logging.WARNING, handlers=[_Libraries()], force=True)
    logging.getLogger("nats").setLevel(logging.ERROR)
    # It warns at every tick of a job that is still at work, which is no news.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


class _Libraries(logging.Handler):
    """Passes on what libraries log: who, and what in general; arguments and tracebacks quote."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record as one of our lines: the first line of its message, nothing filled in."""
        info = record.exc_info
        structlog.get_logger().log(
            record.levelno,
            (str(record.msg).splitlines() or [""])[0],
            logger=record.name,
            exc_info=info[1] if isinstance(info, tuple) else None,
        )


def _exception_name(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace a traceback by its type and places: its text may quote a payload."""
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info
    if isinstance(error, BaseException):
        places = []
        trace = error.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            places.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}")
            trace = trace.tb_next
        event["exception"] = f"{type(error).__name__} at {' > '.join(places[-6:])}"
    return event
