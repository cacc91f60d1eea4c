"""A tenant's things by their address."""

from uuid import UUID

from django.http import Http404

from simulations.models import Job
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
