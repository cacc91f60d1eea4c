"""Logging: readable lines by default, one JSON object a line by setting; every line of a request carries its id."""

import logging.config
import os
import sys
import threading
from types import TracebackType
from typing import Any

import structlog

REFUSED = ("DisallowedHost", "BodyTooLarge", "RequestDataTooBig", "TooManyFieldsSent", "TooManyFilesSent")


def formatter(*, as_json: bool) -> logging.Formatter:
    """For every handler of every process, so that each line has one form."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if as_json
        else [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]
    )
    processors = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer]
    return structlog.stdlib.ProcessorFormatter(processors=processors, foreign_pre_chain=shared)


def logging_config(*, level: str, as_json: bool) -> dict[str, Any]:
    """The dictConfig for `level` (DEBUG…CRITICAL)."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"default": {"()": formatter, "as_json": as_json}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "default"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Expected answers (404, 403 …) are in the access log already.
            "django.request": {"level": "ERROR"},
            # What strangers send wrongly is a 4xx in the access log, not a traceback each.
            **{f"django.security.{kind}": {"level": "CRITICAL"} for kind in REFUSED},
            "axes": {"level": "WARNING"},
            # What it cannot do is an error of whoever asked it.
            "psycopg.pool": {"level": "ERROR"},
            "urllib3": {"level": "ERROR"},
            "kubernetes": {"level": "WARNING"},
        },
    }


def configure(config: dict[str, Any]) -> None:
    """Django's LOGGING_CONFIG hook. From now on what nobody catches, in any thread, is a line of the log as well."""
    logging.config.dictConfig(config)
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _uncaught(args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback)


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt | SystemExit):
        return
    logging.getLogger("uncaught").critical(str(error) or kind.__name__, exc_info=(kind, error, trace))


def say(message: str) -> None:
    """The last words of a command that fails: as people read them, or as a line of the JSON log."""
    if os.environ.get("LOG_FORMAT") == "json":
        logging.getLogger("manage").error(message)
    else:
        print(message, file=sys.stderr)  # noqa: T201 - a command speaks to a terminal
