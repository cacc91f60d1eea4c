"""Jobs with traffic per edge, as a pod would have stored it."""

import gzip
import hashlib
import json
from array import array
from collections.abc import Sequence

import pytest
from django.core.files.base import ContentFile

from simulations.models import Artifact, Job
from simulations.sumo.inputs.net_geometry import NetGeometry
from simulations.sumo.protocol.edge_file import COLUMNS, EdgeFile, order_of

IDS = ["a", "b/1", "=c"]
LENGTHS, LIMITS = [100.0, 500.0, 1000.0], [10.0, 10.0, 20.0]
# Per interval: sampled_s, distance_m, time_loss_s, waiting_s, entered, left, co2_g of each edge.
FIRST = [[100, 0, 10], [500, 0, 100], [360, 0, 36], [36, 0, 0], [9, 0, 1], [9, 0, 1], [1000, 0, 50]]
SECOND = [[100, 50, 0], [1000, 250, 0], [0, 72, 0], [0, 0, 0], [10, 5, 0], [10, 5, 0], [500, 100, 0]]


def edge_file(*intervals: Sequence[Sequence[float]]) -> EdgeFile:
    flat = [value for columns in intervals for column in columns for value in column]
    spans = [(900.0 * n, 900.0 * (n + 1)) for n in range(len(intervals))]
    data = array("f", flat).tobytes()
    return EdgeFile(order_of(IDS), spans, COLUMNS, array("f", LENGTHS), array("f", LIMITS), data)


def network() -> bytes:
    net = NetGeometry(ids=IDS, lanes=[1, 2, 1], limits=LIMITS, lengths=LENGTHS, signals=[(5, 5)])
    net.lines = [[(0, 0), (1000, 0)], [(1000, 0), (1000, 5000)], [(1000, 5000), (0, 0)]]
    return net.as_json()


def keep(job: Job, name: str, content: bytes) -> None:
    digest = hashlib.sha256(content).hexdigest()
    row = Artifact(job=job, attempt=job.attempt, name=name, size_bytes=len(content), sha256=digest)
    row.file.save(f"test/{job.pk.hex}/{name}", ContentFile(content))


def deliver(job: Job, data: EdgeFile | None = None) -> Job:
    """Its files for the map."""
    keep(job, "edges.bin.gz", gzip.compress((data or edge_file(FIRST, SECOND)).packed()))
    keep(job, "network.json.gz", gzip.compress(network(), mtime=0))
    return job


@pytest.fixture
def mapped(job: Job) -> Job:
    return deliver(job)


def told(answer) -> dict:
    assert answer.status_code == 200, answer.content
    return json.loads(answer.content)
