"""The charts' numbers: bounded whatever the file, honest about what is missing."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from clusterops.dashboard import series
from clusterops.dashboard.clusters import chosen
from clusterops.models import ClusterSample
from tests.clusterops.dashboard import seed
from tests.factories import JobFactory


def test_activity_counts_every_finished_job_once(db: None) -> None:
    now = timezone.now()
    for minutes, status in ((5, "SUCCEEDED"), (6, "SUCCEEDED"), (50, "FAILED"), (70, "CANCELLED"), (400, "FAILED")):
        JobFactory(status=status, finished_at=now - timedelta(minutes=minutes))
    columns = series.activity(6, chosen({}))
    assert [sum(columns[name]) for name in ("succeeded", "failed", "cancelled")] == [2, 1, 1]
    assert len(columns["ended_x"]) == len(columns["failed"]) <= 80


@pytest.mark.parametrize("hours", [1, 6, 24])
def test_activity_is_bounded(db: None, hours: int) -> None:
    seed.fill(jobs=5, minutes=24 * 60)
    columns = series.activity(hours, chosen({}))
    assert hours * 60 - 2 <= len(columns["x"]) * max(1, hours // 6) <= hours * 60 + 8
    assert columns["range"][1] - columns["range"][0] == hours * 3600


@pytest.mark.parametrize("file", ["simulated", "travel-times"])
def test_a_job_without_results_has_no_chart(client: Client, django_user_model: type, file: str) -> None:
    client.force_login(django_user_model.objects.create_user("nora", is_staff=True))
    assert client.get(f"/cluster/data/jobs/{JobFactory().pk}/{file}").status_code == 404


def test_nobody_looked_is_a_gap_and_says_who_was_away(db: None) -> None:
    now = timezone.now()
    nothing = dict.fromkeys(
        ("running", "queued", "starting", "nodes", "nodes_ready", "cpu_requested", "cpu_allocatable",
         "memory_requested", "memory_allocatable"), 0,
    )  # fmt: skip
    for minutes in (50, 49, 48, 30, 29, 28, 27, 26, 25, 10):
        at = now - timedelta(minutes=minutes)
        seen = minutes not in (28, 27)
        ClusterSample.objects.create(at=at, **nothing | {"cpu_requested": 4.0 if seen else 0.0}, saw_cluster=seen)
    columns = series.activity(1, chosen({}))
    away = [(who, round((end - begun) / 60)) for begun, end, who in columns["away"]]
    assert away == [("reconciler", 18), ("cluster", 2), ("reconciler", 15), ("reconciler", away[-1][1])]
    assert columns["running"].count(None) == 3
    assert columns["cpu_requested"].count(None) == 5
    assert columns["x"] == sorted(columns["x"])
