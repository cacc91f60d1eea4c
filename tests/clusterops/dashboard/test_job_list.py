"""Which jobs a filter finds, however many there are, and by which index."""

import pytest
from django.db import connection
from django.utils import timezone

from clusterops.dashboard import job_list
from clusterops.dashboard.job_list import Asked
from simulations import searching
from simulations.models import Job
from tests.factories import JobFactory, ScenarioFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("reason", "index"),
    [
        ("IMAGE_ERROR", "jobs_reason"),
        ("CANCELLED", "jobs_reason"),
        ("QUEUED", "jobs_active"),
        ("COMPLETED", "jobs_tenant_status"),
    ],
)
def test_a_reason_is_found_among_all_jobs_by_an_index(monkeypatch: pytest.MonkeyPatch, reason: str, index: str) -> None:
    monkeypatch.setattr(searching, "SEARCHED", 2)
    scenario = ScenarioFactory()
    ended = {"status": "SUCCEEDED", "reason": "COMPLETED", "finished_at": timezone.now()}
    JobFactory(
        scenario=scenario, tenant=scenario.tenant, status="FAILED", reason="IMAGE_ERROR", finished_at=timezone.now()
    )
    JobFactory(
        scenario=scenario, tenant=scenario.tenant, status="CANCELLED", reason="CANCELLED", finished_at=timezone.now()
    )
    JobFactory(scenario=scenario, tenant=scenario.tenant)
    JobFactory.create_batch(4, scenario=scenario, tenant=scenario.tenant, **ended)
    shown = job_list.job_list(Asked(reason=reason))
    assert {job.reason for job in shown["rows"]} == {reason}
    assert (shown["count"], shown["searched"]) == ("4" if reason == "COMPLETED" else "1", 0)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    plan = Job.objects.because(reason).order_by("-submitted_at", "-pk")[:51].explain()
    assert f"using {index}" in plan
