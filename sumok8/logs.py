"""Logging: readable lines by default, one JSON object a line by setting; every line of a request carries its id."""

import logging.config
from typing import Any

import structlog

REFUSED = ("DisallowedHost", "BodyTooLarge", "RequestDataTooBig", "TooManyFieldsSent", "TooManyFilesSent")


def logging_config(*, level: str, as_json: bool) -> dict[str, Any]:
    """The dictConfig for `level` (DEBUG…CRITICAL)."""
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
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "default": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
            }
        },
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
    """Django's LOGGING_CONFIG hook."""
    logging.config.dictConfig(config)
