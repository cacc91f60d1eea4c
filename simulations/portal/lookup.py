"""A tenant's things by their address."""

import re
from uuid import UUID

from django.http import Http404, HttpRequest

from simulations.models import Job, Scenario
from simulations.portal.access import Seat
from simulations.studies.models import Study


def find_job(seat: Seat, job_id: UUID) -> Job:
    """Raises Http404, also for another tenant's."""
    job = Job.objects.select_related("scenario").filter(tenant=seat.tenant, pk=job_id).first()
    if job is None:
        raise Http404
    job.tenant = seat.tenant
    return job


def find_study(seat: Seat, study_id: UUID) -> Study:
    """The same for a study."""
    study = Study.objects.select_related("tenant").filter(tenant=seat.tenant, pk=study_id).first()
    if study is None:
        raise Http404
    return study


def find_scenario(request: HttpRequest, seat: Seat, scenario_id: str) -> Scenario:
    """The version that the address names, else the newest; shared ones too."""
    rows = Scenario.objects.visible_to(seat.tenant.pk).filter(scenario_id=scenario_id)
    if version := request.GET.get("version", ""):
        if not re.fullmatch(r"[1-9]\d{0,8}", version):
            raise Http404
        rows = rows.filter(version=int(version))
    if (scenario := rows.best_first().first()) is None:
        raise Http404
    return scenario
