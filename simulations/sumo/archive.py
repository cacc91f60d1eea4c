"""Zip archives from strangers: checked before use, read within bounds, unpacked without trusting their headers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from simulations.sumo.problems import Problem


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """The most an archive may hold. `ratio` is unpacked bytes per packed byte of the whole archive."""

    bytes: int = 200 * 1024**2
    files: int = 5_000
    unpacked_bytes: int = 2 * 1024**3
    ratio: float = 200.0


def check(source: Path | str | BinaryIO, limits: ArchiveLimits) -> list[Problem]:
    """Everything wrong with the archive, from its directory alone (no member is unpacked); empty if it is fine."""
    raise NotImplementedError


def unpack(source: Path | str | BinaryIO, target: Path, limits: ArchiveLimits) -> list[str]:
    """Unpack into the folder `target` (made if absent) and return the files' paths relative to it, sorted.

    The rules are those of `check`, plus the bytes that really come out are counted and the checksums verified.
    Raises InvalidScenario; what was unpacked until then stays in `target`.
    """
    raise NotImplementedError
