"""Which jobs a filter finds, however many there are."""

from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from clusterops.dashboard import job_list
from clusterops.dashboard.job_list import Asked
from simulations import searching
from simulations.models import Job
from tests.factories import JobFactory, ScenarioFactory

pytestmark = pytest.mark.django_db
MANY = 300
WITH_EACH = {"IMAGE_ERROR": "1", "CANCELLED": "1", "QUEUED": "1", "COMPLETED": str(MANY)}


def test_a_reason_is_found_among_all_jobs_and_a_rare_one_by_its_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "SEARCHED", 2)
    scenario, now = ScenarioFactory(), timezone.now()
    own: dict[str, Any] = {"scenario": scenario, "tenant": scenario.tenant}
    JobFactory(**own, status="FAILED", reason="IMAGE_ERROR", finished_at=now)
    JobFactory(**own, status="CANCELLED", reason="CANCELLED", finished_at=now)
    JobFactory(**own)
    ended = JobFactory.build_batch(MANY, **own, status="SUCCEEDED", reason="COMPLETED", finished_at=now)
    Job.objects.bulk_create(ended)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE jobs; SET LOCAL enable_seqscan = off")  # which so few rows would get
    for reason, count in WITH_EACH.items():
        shown = job_list.job_list(Asked(reason=reason))
        assert {job.reason for job in shown["rows"]} == {reason}
        assert (shown["count"], shown["among_newest"]) == (count, 0)
    for rare in ("IMAGE_ERROR", "CANCELLED"):
        assert "jobs_reason" in Job.objects.because(rare).order_by("-submitted_at", "-pk")[:51].explain()
