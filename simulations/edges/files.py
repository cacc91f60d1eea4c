"""What a job delivered for the map, read within bounds: the pod's word is not taken for any of it."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from simulations import files
from simulations.held import TAKEN_OVER
from simulations.models import Artifact, Job
from simulations.sumo.protocol.edge_file import MAX_BYTES, NAME, NETWORK_NAME, BadEdgeFile, EdgeFile, unpacked
from tenants.errors import ApiError

MAX_PACKED_BYTES = 32 * 1024**2
MAX_PACKED_NETWORK_BYTES = TAKEN_OVER  # 200,000 edges and 2 million points are 10 MB
MAX_NETWORK_BYTES = 48 * 1024**2
PIECE = 1024**2


@dataclass(frozen=True)
class Delivered:
    """The two files of a job's present attempt."""

    edges: Artifact
    network: Artifact


def delivered(job: Job) -> Delivered:
    """One statement. Raises ApiError 404 edges.none."""
    rows = Artifact.objects.filter(job=job, attempt=job.attempt, name__in=[NAME, NETWORK_NAME])
    found = {row.name: row for row in rows}
    if len(found) < 2:
        ended = "It was not asked for “edges” among its outputs." if job.is_finished else "They come with its end."
        raise none(f"This job has no traffic per edge. {ended}")
    return Delivered(found[NAME], found[NETWORK_NAME])


def none(message: str) -> ApiError:
    return ApiError(404, "edges.none", message)


def edge_data(artifact: Artifact) -> EdgeFile:
    """Raises ApiError 404, 503."""
    try:
        return unpacked(_packed(artifact, min(MAX_PACKED_BYTES, MAX_BYTES)))
    except BadEdgeFile as error:
        raise none(f"The job's {NAME} cannot be used: {error}.") from None


def packed_network(artifact: Artifact) -> bytes:
    """The network as it was delivered, gzip, if it unpacks within bounds. Raises ApiError 404, 503."""
    packed, size = _packed(artifact, MAX_PACKED_NETWORK_BYTES), 0
    try:
        for piece in pieces(packed):
            size += len(piece)
            if size > MAX_NETWORK_BYTES:
                break
    except (OSError, EOFError, zlib.error):
        size = 0
    if not 0 < size <= MAX_NETWORK_BYTES:
        raise none(f"The job's {NETWORK_NAME} cannot be used.")
    return packed


def pieces(packed: bytes) -> Generator[bytes, None, None]:
    """What a gzip unpacks to. Raises OSError, EOFError, zlib.error."""
    with gzip.open(io.BytesIO(packed)) as plain:
        while piece := plain.read(PIECE):
            yield piece


def checked_network(artifact: Artifact) -> dict[str, Any]:
    """The network, with an id, a length and a limit for every edge. Raises ApiError 404, 503."""
    try:
        told: Any = json.loads(b"".join(pieces(packed_network(artifact))))
        ids, figures = told["ids"], [*told["length_m"], *told["limit_ms"]]
        sound = len(told["length_m"]) == len(told["limit_ms"]) == len(ids)
        sound = sound and all(isinstance(each, str) for each in ids)
        sound = sound and all(isinstance(each, int | float) and 0 <= each < 1e9 for each in figures)
    except (ValueError, KeyError, TypeError, RecursionError):
        sound = False
    if not sound:
        raise none(f"The job's {NETWORK_NAME} cannot be used.")
    return dict(told)


def _packed(artifact: Artifact, at_most: int) -> bytes:
    if artifact.size_bytes > at_most:
        raise none(f"The job's {artifact.name} is too large.")
    try:
        return files.read(str(artifact.file), at_most=at_most)
    except FileNotFoundError:
        raise ApiError(404, "file.gone", "The file is no longer in storage.") from None
