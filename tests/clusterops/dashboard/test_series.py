"""The charts' numbers: bounded whatever the file, honest about what is missing."""

import gzip
import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from clusterops.dashboard import series
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
    columns = series.simulated(job.artifacts.get(name="summary.csv.gz"))
    assert {len(values) for values in columns.values()} == {len(columns["x"])}
    assert series.POINTS <= len(columns["x"]) <= 2 * series.POINTS
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
        (b"no gzip", 0),
    ],
)
def test_odd_summaries(db: None, data: bytes, points: int) -> None:
    columns = series.simulated(stored(JobFactory(), "summary.csv.gz", data))
    assert [len(values) for values in columns.values()] == [points] * 4


@pytest.mark.parametrize(
    "data, counts",
    [
        ({"bin_s": 60, "counts": [1, 2, 3], "max_s": 170}, [1, 2, 3]),
        ({"bin_s": 60}, []),
        ([1], []),
        ({"bin_s": "x", "counts": 3}, []),
    ],
)
def test_histograms(db: None, data: object, counts: list[int]) -> None:
    columns = series.travel_times(stored(JobFactory(), "travel_times.json", json.dumps(data).encode()))
    assert columns["trips"] == counts
    assert len(columns["x"]) == len(counts)


def test_activity_counts_every_finished_job_once(db: None) -> None:
    now = timezone.now()
    for minutes, status in ((5, "SUCCEEDED"), (6, "SUCCEEDED"), (50, "FAILED"), (70, "CANCELLED"), (400, "FAILED")):
        JobFactory(status=status, finished_at=now - timedelta(minutes=minutes))
    columns = series.activity(6)
    assert [sum(columns[name]) for name in ("succeeded", "failed", "cancelled")] == [2, 1, 1]
    assert len(columns["ended_x"]) == len(columns["failed"]) <= 80


@pytest.mark.parametrize("hours", [1, 6, 24])
def test_activity_is_bounded(db: None, hours: int) -> None:
    seed.fill(jobs=5, minutes=24 * 60)
    columns = series.activity(hours)
    assert hours * 60 - 2 <= len(columns["x"]) * max(1, hours // 6) <= hours * 60 + 8
    assert columns["range"][1] - columns["range"][0] == hours * 3600


@pytest.mark.parametrize("file", ["simulated", "travel-times"])
def test_a_job_without_results_has_no_chart(client: Client, django_user_model: type, file: str) -> None:
    client.force_login(django_user_model.objects.create_user("nora", is_staff=True))
    assert client.get(f"/cluster/data/jobs/{JobFactory().pk}/{file}").status_code == 404
