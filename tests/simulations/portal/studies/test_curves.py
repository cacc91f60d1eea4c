"""Curves of a study's runs, from their files."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from simulations.models import Artifact
from simulations.portal.studies.curves import Samples, mean_of
from tests.factories import JobFactory
from tests.simulations.portal.conftest import Who
from tests.simulations.portal.studies.conftest import Ended


@pytest.mark.parametrize(
    "runs, expected",
    [
        ([], []),
        ([{"x": (0, 1), "v": (2.0, 4.0)}, {"x": (0, 1), "v": (6.0, None)}], [(0, 4.5, (3.0, 6.0))]),
        (
            [{"x": (0, 12, 24), "v": (1.0, None, 3.0)}, {"x": (0, 12, 24), "v": (3.0, None, None)}],
            [(0, 2.0, (1.0, 3.0)), (10, None, None), (20, 3.0, (3.0, 3.0))],
        ),
        ([{"x": (0, 20), "v": (1.0, 1.0)}], [(0, 1.0, (1.0, 1.0)), (10, None, None), (20, 1.0, (1.0, 1.0))]),
    ],
)
def test_means_over_seeds_keep_gaps(runs: list[Samples], expected: list[Any]) -> None:
    assert [(point.x, point.y, point.band) for point in mean_of(runs, "v", 10)] == expected


def _file(job: Any, name: str, content: bytes) -> None:
    path = default_storage.save(f"results/{job.pk}/1/{name}", ContentFile(content))
    Artifact.objects.create(job=job, attempt=1, name=name, file=path, size_bytes=len(content), sha256="0" * 64)


def test_of_a_study(client_of: Who, ended: Ended) -> None:
    study = ended()
    address = f"/t/city-a/studies/{study.pk}/curves"
    client = client_of("viewer")
    assert "No run has left its files yet" in client.get(address).content.decode()
    series = gzip.compress(b"time,running,halting,mean_speed\n0,1,0,9\n60,2,1,8\n120,0,0,-1\n")
    for run in study.runs.all():
        run.job = JobFactory(tenant=study.tenant)
        run.save()
        _file(run.job, "summary.csv.gz", series)
        _file(run.job, "travel_times.json", json.dumps({"bin_s": 10, "counts": [1, run.seed]}).encode())
    page = client.get(address)
    assert [chart.title for chart in page.context["charts"]] == [
        "Vehicles under way", "Vehicles standing", "Mean speed", "Trips that took less than so long",
    ]  # fmt: skip
    speed = page.context["charts"][2]
    assert [row[1] for row in speed.rows][-1] == "\N{EN DASH}"  # nobody drives: a gap, no 0
    assert "<html" not in client.get(address, headers={"HX-Request": "true"}).content.decode()


def test_storage_that_is_away_is_said(client_of: Who, ended: Ended, settings: Any, tmp_path: Path) -> None:
    study = ended()
    run = study.runs.first()
    run.job = JobFactory(tenant=study.tenant)
    run.save()
    _file(run.job, "summary.csv.gz", b"")
    (tmp_path / "media").write_text("")
    settings.MEDIA_ROOT = tmp_path / "media"
    client = client_of("viewer")
    page = client.get(f"/t/city-a/studies/{study.pk}/curves")
    assert page.status_code == 503
    assert "does not answer; try again" in page.content.decode()
    data = client.get(f"/t/city-a/jobs/{run.job_id}/simulated")
    assert (data.status_code, data.json()["error"]["code"]) == (503, "storage.unavailable")
