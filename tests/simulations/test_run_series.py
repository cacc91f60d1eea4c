"""A run's charts: bounded whatever the file, honest about what is missing."""

import gzip
import json
import math
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from pytest_django import Settings

from simulations import run_series
from simulations.models import Artifact, Job
from tests.clusterops.dashboard import seed
from tests.factories import JobFactory


@pytest.fixture(autouse=True)
def own_files(settings: Settings, tmp_path: Path) -> None:
    plain = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"default": plain}


def stored(job: Job, name: str, data: bytes) -> Artifact:
    artifact = Artifact(job=job, attempt=1, name=name, size_bytes=len(data), sha256="0" * 64)
    artifact.file.save(f"x/{name}", ContentFile(data))
    return artifact


def test_long_runs_are_thinned(db: None) -> None:
    job = JobFactory()
    seed.store_results(job, rows=20_000)
    columns = run_series.simulated(job.artifacts.get(name="summary.csv.gz"))
    assert {len(values) for values in columns.values()} == {len(columns["x"])}
    assert run_series.POINTS <= len(columns["x"]) <= 2 * run_series.POINTS
    assert columns["x"][0] == 0
    assert columns["x"][-1] > 19_000
    assert max(columns["running"]) == pytest.approx(1800, rel=0.01)


HEAD = b"time,running,halting,waiting,inserted,arrived,teleports,mean_speed,mean_travel_time\n"


@pytest.mark.parametrize(
    "data, points",
    [
        (gzip.compress(HEAD + b"0,1,0,0,1,0,0,13.5,\n1,2,0,0,2,0,0,,\n", mtime=0), 2),
        (gzip.compress(HEAD, mtime=0), 0),
        (gzip.compress(b"", mtime=0), 0),
        (gzip.compress(HEAD + b"0,1,0,0,1,0,0,1,\n", mtime=0)[:-8], 1),
        (gzip.compress(b"other,columns\n1,2\n", mtime=0), 0),
        (gzip.compress(HEAD + b"0,1,0,0,1,0,0,1,\nbroken\n", mtime=0), 1),
        (gzip.compress(HEAD + b"0,1,0,0,1,0,0,1,\n\n1,2\n", mtime=0), 1),
        (gzip.compress(HEAD + b"0,1,0,0,1,0,0,1,\n" + b"9" * 200_000, mtime=0), 1),
        (b"no gzip", 0),
    ],
)
def test_odd_summaries(db: None, data: bytes, points: int) -> None:
    columns = run_series.simulated(stored(JobFactory(), "summary.csv.gz", data))
    assert [len(values) for values in columns.values()] == [points] * 4


def test_lines_that_thinning_leaves_out_are_not_understood(db: None) -> None:
    lines = [b"%d,1,0,0,1,0,0,1,\n" % at for at in range(2000)]
    lines[1999] = b"broken\n"  # every fourth is taken by then
    columns = run_series.simulated(stored(JobFactory(), "summary.csv.gz", gzip.compress(HEAD + b"".join(lines))))
    assert [*columns["x"]] == [*range(0, 2000, 4)]


def test_what_is_no_number_is_not_measured(db: None) -> None:
    data = gzip.compress(HEAD + b"0,1,inf,0,1,0,0,nan,\n1,1,0,0,1,0,0,2,\n", mtime=0)
    columns = run_series.simulated(stored(JobFactory(), "summary.csv.gz", data))
    assert [*columns["halting"]] == [None, 0]
    assert [*columns["mean_speed"]] == [None, 7.2]


def test_a_file_that_unpacks_without_end_is_read_to_a_bound(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_series, "MAX_SUMMARY_BYTES", 1000)
    data = gzip.compress(HEAD + b"0,1,0,0,1,0,0,1,\n" * 1000, mtime=0)
    columns = run_series.simulated(stored(JobFactory(), "summary.csv.gz", data))
    assert 40 < len(columns["x"]) < 60


def test_a_hole_and_an_empty_network_are_gaps(db: None) -> None:
    lines = b"".join(b"%d,%d,0,0,1,0,0,%s,\n" % (at, n, v) for at, n, v in [(0, 1, b"9"), (1, 0, b"0"), (2, 1, b"9")])
    data = gzip.compress(HEAD + lines + b"9,2,0,0,1,0,0,5,\n", mtime=0)
    columns = run_series.simulated(stored(JobFactory(), "summary.csv.gz", data))
    assert [*columns["x"]] == [0, 1, 2, 3, 9]
    assert [*columns["running"]] == [1, 0, 1, None, 2]
    assert [*columns["mean_speed"]] == [32.4, None, 32.4, None, 18]


@pytest.mark.parametrize(
    "data, counts",
    [
        ({"bin_s": 60, "counts": [1, 2, 3], "max_s": 170}, [1, 2, 3]),
        ({"bin_s": 60}, []),
        ([1], []),
        ({"bin_s": "x", "counts": 3}, []),
        ({"bin_s": math.nan, "counts": [1]}, []),
        ({"bin_s": 60, "counts": [10**400]}, []),
        ({"bin_s": 60, "counts": [math.inf]}, []),
    ],
)
def test_histograms(db: None, data: object, counts: list[int]) -> None:
    columns = run_series.travel_times(stored(JobFactory(), "travel_times.json", json.dumps(data).encode()))
    assert columns["trips"] == counts
    assert len(columns["x"]) == len(counts)
