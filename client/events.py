"""Server-sent events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

MAX_LINE_BYTES = 1024**2


def events(pieces: Iterable[bytes]) -> Iterator[dict[str, str]]:
    """Each event as its fields, from bytes as they come; one that was cut off is none. A comment says that the
    connection stands."""
    event: dict[str, str] = {}
    for line in _lines(pieces):
        name, _, value = line.partition(":")
        if name:
            value = value[1:] if value.startswith(" ") else value
            event[name] = f"{event['data']}\n{value}" if name == "data" and "data" in event else value
        elif value:
            yield {"event": "life", "data": value}
        else:
            if "data" in event:
                yield event
            event = {}


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    """Whole lines; what is longer than MAX_LINE_BYTES is cut there."""
    kept = b""
    for piece in pieces:
        *whole, kept = (kept + piece).split(b"\n")
        for line in whole:
            yield line[:MAX_LINE_BYTES].decode(errors="replace").rstrip("\r")
        kept = kept[: MAX_LINE_BYTES + 1]
