"""Structured logs, one JSON object a line, on standard error. Secrets never reach them."""

from __future__ import annotations

import logging
import sys
from typing import Any

from shared.interpreter import without

with without("rich"):  # it colours tracebacks on a terminal; our lines are JSON, and it takes a fifteenth of a start
    import structlog

SECRET_WORDS = ("password", "token", "secret", "authorization", "cookie", "private", "signature")


def hide_secrets(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Blank every value whose name says that it is a secret."""
    for name in event:
        if any(word in name.lower() for word in SECRET_WORDS):
            event[name] = "***"
    return event


def set_up(level: str = "INFO") -> None:
    """Route structlog and the standard library to one JSON stream."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            hide_secrets,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=_standard_error,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_json_handler()], force=True)


def _standard_error(*_args: Any) -> structlog.PrintLogger:
    """Looked up at each line: a stream that was replaced and closed since set-up must not fail what is logged about."""
    return structlog.PrintLogger(sys.stderr)


def _json_handler() -> logging.Handler:
    """For what libraries and the web shell log: a line break in an address must not look like a line of ours."""
    before: list[structlog.typing.Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                hide_secrets,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    return handler


def get(name: str) -> structlog.typing.FilteringBoundLogger:
    """A logger that carries the room's name."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(room=name)
    return logger
