"""A tenant's things by their address."""

from uuid import UUID

from django.http import Http404

from simulations.models import Job
from simulations.portal.access import Seat


def find_job(seat: Seat, job_id: UUID) -> Job:
    """Raises Http404, also for another tenant's."""
    job = Job.objects.select_related("scenario").filter(tenant=seat.tenant, pk=job_id).first()
    if job is None:
        raise Http404
    job.tenant = seat.tenant
    return job
