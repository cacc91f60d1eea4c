"""The runner's JSON lines as sentences for people. Lines that are none of its events stay as they are."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

TIME = r"(?:\d\d:\d\d:\d\d  )?"  # at the begin of a line of ours


def readable(text: str) -> str:
    """`text` line by line: the time of day in UTC and what happened."""
    return "\n".join(_line(line) for line in text.split("\n"))


def _clock(seconds: float) -> str:
    """Simulated time as H:MM:SS."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole % 3600 // 60:02}:{whole % 60:02}"


def _line(line: str) -> str:
    try:
        event = json.loads(line)
        at = datetime.fromtimestamp(event["t"], UTC)
        return f"{at:%H:%M:%S}  {SENTENCES[event['event']](event)}"
    except Exception:  # noqa: BLE001 - a pod may print anything, also what only looks like an event
        return line


def _progress(event: dict[str, Any]) -> str:
    share = f" ({event['percent']:g} %)" if event.get("percent") is not None else ""
    counts = ", ".join(f"{event[name]} {name}" for name in ("running", "waiting", "arrived"))
    return f"{_clock(event['sim_time'])} simulated{share}: {counts}"


SENTENCES: dict[str, Callable[[dict[str, Any]], str]] = {
    "phase": lambda event: event["message"],
    "log": lambda event: f"{event['level'].upper()}: {event['message']}",
    "progress": _progress,
    "result": lambda event: f"Outcome: {event['outcome']}. {event.get('reason') or ''}".rstrip(),
}


LEVELS = {
    "warning": re.compile(rf"{TIME}(?:warning|error)\b", re.IGNORECASE),
    "error": re.compile(rf"{TIME}error\b", re.IGNORECASE),
}


def narrowed(text: str, find: str = "", level: str = "") -> tuple[str, int]:
    """The lines of a readable log that contain `find` and are of one of LEVELS or worse, numbered; and how many."""
    wanted, worst = find.lower(), LEVELS.get(level)
    lines = [
        f"{number}: {line}"
        for number, line in enumerate(text.splitlines(), 1)
        if wanted in line.lower() and (worst is None or worst.match(line))
    ]
    return "\n".join(lines), len(lines)
