"""The list of jobs, and one job."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from simulations.models import Job
from simulations.portal.access import Seat, member_page, show


@member_page()
def job_list(request: HttpRequest, seat: Seat) -> HttpResponse:
    return show(request, seat, "portal/jobs.html", {"jobs": Job.objects.filter(tenant=seat.tenant)[:50]})


@member_page()
def job_page(request: HttpRequest, seat: Seat, job_id: UUID) -> HttpResponse:
    job = get_object_or_404(Job, tenant=seat.tenant, pk=job_id)
    return show(request, seat, "portal/job.html", {"job": job})
