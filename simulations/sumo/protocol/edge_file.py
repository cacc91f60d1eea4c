"""Edge data of a run as a compact binary, written in the pod and read by the control plane: see docs/edges.md.

Every column is a sum over vehicles, so intervals, runs and seeds are joined by adding: the mean speed of many runs is
the distance of all over the time of all.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MAGIC = b"SKEDGES1"
MAX_EDGES = 200_000
MAX_INTERVALS = 288
MAX_VALUES = 1_000_000  # edges times intervals
MAX_HEADER_BYTES = 64 * 1024
SAMPLED, DISTANCE, TIME_LOSS, WAITING, ENTERED, LEFT, CO2 = (
    "sampled_s", "distance_m", "time_loss_s", "waiting_s", "entered", "left", "co2_g",
)  # fmt: skip
COLUMNS = (SAMPLED, DISTANCE, TIME_LOSS, WAITING, ENTERED, LEFT, CO2)
MAX_BYTES = 4 * (2 * MAX_EDGES + MAX_VALUES * len(COLUMNS)) + MAX_HEADER_BYTES
NAME, NETWORK_NAME = "edges.bin.gz", "network.json.gz"


class BadEdgeFile(ValueError):
    """Not such a file, or beyond its bounds."""


def most_intervals(edges: int) -> int:
    """How many intervals a file of so many edges may have."""
    return max(1, min(MAX_INTERVALS, MAX_VALUES // max(1, edges)))


def order_of(ids: Iterable[str]) -> str:
    """What a network and edge data must have in common: the edges and their order."""
    digest = hashlib.sha256()
    for name in ids:
        digest.update(name.encode() + b"\n")
    return digest.hexdigest()


@dataclass(frozen=True)
class EdgeFile:
    """`intervals` in seconds; `lengths` (m) and `limits` (m/s) go with the edges; `data` are their columns' bytes, by
    interval, then column, then edge."""

    edge_order: str
    intervals: Sequence[tuple[float, float]]
    columns: Sequence[str]
    lengths: array[float]
    limits: array[float]
    data: bytes | memoryview

    @property
    def edges(self) -> int:
        return len(self.lengths)

    def column(self, name: str, interval: int | None = None) -> array[float]:
        """A sum per edge in an interval, or over all of them."""
        if interval is not None:
            return self._one(name, interval)
        total = array("d", bytes(8 * self.edges))
        for number in range(len(self.intervals)):
            total = array("d", map(float.__add__, total, self._one(name, number)))
        return total

    def duration(self, interval: int | None = None) -> float:
        """Seconds."""
        chosen = self.intervals if interval is None else [self.intervals[interval]]
        return sum(end - begin for begin, end in chosen)

    def at(self, edge: int) -> dict[str, list[float]]:
        """Each column of one edge, by interval."""
        width, step = len(self.columns), 4 * self.edges
        return {
            name: [
                _finite(struct.unpack_from("<f", self.data, step * (width * interval + place) + 4 * edge)[0])
                for interval in range(len(self.intervals))
            ]
            for place, name in enumerate(self.columns)
        }

    def _one(self, name: str, interval: int) -> array[float]:
        start = 4 * self.edges * (len(self.columns) * interval + self.columns.index(name))
        return _floats(self.data[start : start + 4 * self.edges])

    def packed(self) -> bytes:
        """The file, not yet gzip."""
        header = json.dumps(
            {
                "edge_order": self.edge_order,
                "edges": self.edges,
                "intervals": self.intervals,
                "columns": list(self.columns),
            },
            separators=(",", ":"),
        ).encode()
        header += b" " * (-len(header) % 4)
        parts = [MAGIC, struct.pack("<I", len(header)), header, _bytes(self.lengths), _bytes(self.limits)]
        return b"".join([*parts, bytes(self.data)])


def unpacked(content: bytes) -> EdgeFile:
    """From the gzip. Raises BadEdgeFile: a pod's word is not taken for it."""
    unzip = zlib.decompressobj(wbits=31)
    try:
        plain = memoryview(unzip.decompress(content, MAX_BYTES + 1))
        if not unzip.eof or plain[: len(MAGIC)] != MAGIC:
            raise BadEdgeFile("not such a file, or cut")
        (length,) = struct.unpack_from("<I", plain, len(MAGIC))
        start = len(MAGIC) + 4
        if length > MAX_HEADER_BYTES:
            raise BadEdgeFile("its header is too long")
        header = json.loads(bytes(plain[start : start + length]))
        edges, columns = header["edges"], list(map(str, header["columns"]))
        intervals = [(float(begin), float(end)) for begin, end in header["intervals"]]
        order = str(header["edge_order"])
    except (zlib.error, struct.error, ValueError, OverflowError, KeyError, TypeError, RecursionError) as error:
        raise BadEdgeFile(str(error)) from error
    rest = plain[start + length :]
    if not isinstance(edges, int) or not 0 <= edges <= MAX_EDGES or len(intervals) > most_intervals(edges):
        raise BadEdgeFile("too many edges or intervals")
    if not {SAMPLED, DISTANCE, TIME_LOSS, WAITING, ENTERED, LEFT} <= set(columns) <= set(COLUMNS):
        raise BadEdgeFile("other columns")
    if any(not 0 <= begin < end < math.inf for begin, end in intervals) or len(set(columns)) < len(columns):
        raise BadEdgeFile("odd intervals or columns")
    if len(rest) != 4 * edges * (2 + len(intervals) * len(columns)):
        raise BadEdgeFile("another size than its header says")
    lengths, limits = _floats(rest[: 4 * edges]), _floats(rest[4 * edges : 8 * edges])
    return EdgeFile(order, intervals, columns, lengths, limits, rest[8 * edges :])


def _floats(content: bytes | memoryview) -> array[float]:
    values = array("f")
    values.frombytes(content)
    if sys.byteorder == "big":  # pragma: no cover - on machines that no test runs on
        values.byteswap()
    if not math.isfinite(math.fsum(values)) and not all(map(math.isfinite, values)):
        return array("f", map(_finite, values))
    return values


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 0.0


def _bytes(values: Sequence[float]) -> bytes:
    packed = array("f", values)
    if sys.byteorder == "big":  # pragma: no cover - on machines that no test runs on
        packed.byteswap()
    return packed.tobytes()
