"""A tenant's home: what runs and waits, and how much of the limits is in use."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from simulations import attention
from simulations.models import Job, JobCount, Scenario
from simulations.models.columns import FOR_ESTIMATE
from simulations.portal import live
from simulations.portal.access import Seat, member_page, show
from simulations.portal.estimates import Need, Room, Running, starts_in_s, typical_s
from simulations.portal.jobs import NOT_SHOWN
from simulations.services.storage import uses_of
from simulations.studies.models import Study
from simulations.telling import tell
from simulations.time_left import time_left
from simulations.waiting import line_for
from tenants.models import Tenant

ROWS = 10
SOON = timedelta(minutes=1)
MOST_RECKONED = 1000  # running jobs that an estimate is made from
STARTED = Q(status=Job.Status.RUNNING) | Q(status=Job.Status.PENDING, dispatched_at__isnull=False)


@member_page()
def home(request: HttpRequest, seat: Seat) -> HttpResponse:
    """Complete without JavaScript, live with it."""
    return show(request, seat, "portal/home.html", _now(seat))


@member_page()
def home_now(request: HttpRequest, seat: Seat) -> HttpResponse:
    """The live part, for polling."""
    return live.fragment(request, seat, "portal/_home.html", _now(seat))


def _now(seat: Seat) -> dict[str, Any]:
    """Ten queries, whatever the number of jobs."""
    tenant = seat.tenant
    rows = Job.objects.filter(tenant=tenant).defer(*NOT_SHOWN)
    running = list(rows.filter(STARTED).order_by("-submitted_at")[:ROWS])
    waiting = list(rows.queued().order_by("-priority_class", "-priority", "submitted_at", "job_id")[:ROWS])
    recent = list(rows.filter(finished_at__isnull=False).order_by("-finished_at", "-job_id")[:ROWS])
    studies = list(Study.objects.active().filter(tenant=tenant).only("study_id", "name", "status", "message")[:ROWS])
    used = (
        Job.objects.filter(STARTED, tenant=tenant)
        .order_by()
        .aggregate(cpu=Sum("cpu_request", default=0), memory=Sum("memory_gi", default=0), jobs=Count("pk"))
    )
    count = JobCount.objects.filter(tenant=tenant).first()
    queued = count.queued if count else 0
    uses = uses_of(tenant.pk)
    line = line_for(tenant, waiting)
    silence = attention.silence(timezone.now(), tenant.cluster_id)
    told_of_studies = [(study.pk, study.status, study.message) for study in studies]
    estimates: list[float | None] = [None] * len(waiting)
    if line and line.limits_alone and not silence and used["jobs"] <= MOST_RECKONED:
        estimates = _estimates(tenant, waiting, typical_s(recent))
    shown = (*map(live.state_of, (*running, *waiting, *recent)), *told_of_studies)
    return {
        "running": running,
        "waiting": [
            (line.place(job) if line else None, estimate, job, tell(job, line))
            for job, estimate in zip(waiting, estimates, strict=True)
        ],
        "recent": recent,
        "studies": studies,
        "used": used,
        "queued": queued,
        "uses": uses,
        "silence": silence,
        "is_new": not (running or waiting or recent),
        "has_scenario": Scenario.objects.visible_to(tenant.pk).exists(),
        "mark": live.mark(shown, used, queued, uses, silence),
    }


def _estimates(tenant: Tenant, waiting: Sequence[Job], usual_s: float | None) -> list[float | None]:
    """For the first of the line. One query."""
    now = timezone.now()
    started = Job.objects.filter(STARTED, tenant=tenant).order_by().only(*FOR_ESTIMATE)[:MOST_RECKONED]
    running = [
        Running(Need(job.cpu_request, job.memory_gi), time_left(job, now, usual_s=usual_s).seconds) for job in started
    ]
    needs = [Need(job.cpu_request, job.memory_gi) for job in waiting]
    limits = Room(tenant.max_concurrent_jobs, tenant.max_cpu, tenant.max_memory_gi)
    found = starts_in_s(needs, limits, running, usual_s)
    return [None if at == 0 and _waits_long(job, now) else at for at, job in zip(found, waiting, strict=True)]


def _waits_long(job: Job, now: datetime) -> bool:
    """Where its limits leave room and it still waits, something else is in its way."""
    return now - job.submitted_at > SOON
