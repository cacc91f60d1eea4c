"""How far a job is, once it has ended: its last report came from before."""

import pytest
from django.utils import timezone

from simulations.api.serializers import jobs_as_json
from simulations.models import Job
from tests.factories import JobFactory

REPORT = {"sim_time": 3490.0, "percent": 97.0, "running": 3, "eta_s": 2.0}


@pytest.mark.django_db
@pytest.mark.parametrize("report", [REPORT, {**REPORT, "percent": None, "eta_s": None}])
@pytest.mark.parametrize(("status", "is_whole"), [("SUCCEEDED", True), ("FAILED", False), ("CANCELLED", False)])
def test_only_a_run_that_ended_whole_is_done(report: dict[str, float | None], status: str, is_whole: bool) -> None:
    now = timezone.now()
    job: Job = JobFactory(status=status, reason=status, finished_at=now, progress=report, progress_at=now)
    [told] = jobs_as_json(job.tenant, [job])
    expected = (100.0, 0.0) if is_whole else (report["percent"], report["eta_s"])
    assert (told["progress"]["percent"], told["progress"]["eta_s"]) == expected
    assert told["progress"]["sim_time"] == 3490.0
