"""The numbers of the dashboard's charts as tables, for readers without JavaScript."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from clusterops.dashboard import series
from clusterops.dashboard.access import staff_page
from clusterops.dashboard.clusters import Chosen, chosen
from simulations.models import Job
from simulations.run_tables import Table, tables_of, thinned
from tenants.errors import ApiError

HOURS = (1, 6, 24)


def hours_of(request: HttpRequest) -> int:
    asked = request.GET.get("hours", "")
    return int(asked) if asked in map(str, HOURS) else 6


@staff_page
def activity(request: HttpRequest) -> HttpResponse:
    """Of the overview."""
    hours, place = hours_of(request), chosen(request.GET)
    back = f"{reverse('cluster:overview')}?hours={hours}" + (f"&cluster={place.name}" if place.name else "")
    context = {"title": f"Activity, {hours} h", "back": back, "back_to": "The cluster", "tables": _tables(hours, place)}
    return render(request, "cluster/numbers.html", context)


@staff_page
def job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Of a job's page."""
    found = get_object_or_404(Job, pk=job_id)
    try:
        tables = tables_of(found)
    except ApiError as error:
        return HttpResponse(error.message, status=error.status_code, content_type="text/plain; charset=utf-8")
    title = found.scenario_data.get("scenario_id") or "Job"
    context = {"title": title, "back": reverse("cluster:job", args=[job_id]), "back_to": "The job", "tables": tables}
    return render(request, "cluster/numbers.html", context)


def _tables(hours: int, place: Chosen) -> list[Table]:
    found = series.activity(hours, place)
    columns = ("running", "queued", "cpu_requested", "cpu_allocatable")
    outcomes = ("succeeded", "failed", "cancelled")
    heads = ("From, UTC", "Running jobs", "Queued jobs", "CPU cores requested", "CPU cores allocatable")
    return [
        Table("Jobs and CPU", heads, thinned(_rows(found["x"], *(found[name] for name in columns)))),
        Table(
            "Finished jobs by outcome",
            ("From, UTC", "Succeeded", "Failed", "Cancelled"),
            thinned(_rows(found["ended_x"], *(found[name] for name in outcomes))),
        ),
    ]


def _rows(moments: Iterable[float], *columns: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Newest first."""
    rows = zip(moments, *columns, strict=True)
    return [(f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}", *rest) for at, *rest in rows][::-1]
