"""Unpacked XML inputs, plain or gzip by content, read in one pass."""

import time
from collections.abc import Iterator
from pathlib import Path

from . import xmlscan
from .xmlscan import StartHandler


class TooSlow(Exception):
    """The time for reading was used up."""


def scan_file(path: Path, on_start: StartHandler, *, deadline: float) -> None:
    """Call `on_start(name, attributes)` for every element. Raises XmlError, OSError, TooSlow (`time.monotonic()`)."""
    xmlscan.scan(xmlscan.gunzipped(_chunks(path, deadline)), on_start, limit=2**63)


def _chunks(path: Path, deadline: float) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(xmlscan.CHUNK):
            if time.monotonic() > deadline:
                raise TooSlow(path.name)
            yield chunk
