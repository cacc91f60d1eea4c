"""The dashboard's other pages: the list of jobs, and one job."""

import re
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from clusterops.dashboard.maps import map_of
from clusterops.dashboard.overview import LIST_COLUMNS
from simulations.models import Job
from simulations.sumo.protocol.kpis import KPIS
from simulations.telling import tell
from simulations.waiting import line_for

PAGE_ROWS = 50
SHOWN_APART = {"cpu_request", "memory_gi", "labels"}  # of the request: columns of their own
UUID_TEXT = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


def job_list(*, status: str = "", tenant: str = "", search: str = "", before: str = "") -> dict[str, Any]:
    """One query: a page of jobs, newest first. `before` is the place where the page before ended."""
    found = Job.objects.only(*LIST_COLUMNS).order_by("-submitted_at", "-job_id")
    if status in Job.Status.values:
        found = found.filter(status=status)
    if tenant:
        found = found.filter(tenant_id=tenant)
    if search:
        matches = Q(scenario_data__scenario_id=search) | Q(k8s_job_name=search)
        found = found.filter(Q(pk=uuid.UUID(search)) if UUID_TEXT.fullmatch(search) else matches)
    if place := _place(before):
        found = found.filter(Q(submitted_at__lt=place[0]) | Q(submitted_at=place[0], job_id__lt=place[1]))
    rows = list(found[: PAGE_ROWS + 1])
    more = len(rows) > PAGE_ROWS
    rows = rows[:PAGE_ROWS]
    return {
        "rows": rows,
        "older": f"{rows[-1].submitted_at.isoformat()}|{rows[-1].job_id}" if more else "",
        "status": status,
        "tenant": tenant,
        "search": search,
        "statuses": Job.Status.values,
        "is_first": not place,
    }


def _place(text: str) -> tuple[datetime, uuid.UUID] | None:
    moment, _, key = text.partition("|")
    try:
        at = parse_datetime(moment)
        return (at, uuid.UUID(key)) if at and at.tzinfo else None
    except ValueError:
        return None


def job_state(job: Job) -> dict[str, Any]:
    """Two queries, three for a job that waits in line: the timeline and the result files, beside what its row says."""
    events = list(job.events.all())
    first = {"at": job.submitted_at, "status": Job.Status.PENDING, "reason": "SUBMITTED", "message": "", "attempt": 1}
    artifacts = [row for row in job.artifacts.all() if row.attempt == job.attempt]
    results: Mapping[str, Any] = job.results or {}
    kpis = results.get("kpis") or {}
    ends = job.finished_at or timezone.now()
    empty: tuple[Any, ...] = (None, "", {}, [])
    asked = job.scenario_data.items()
    shown = {
        name: value for name, value in asked if name not in SHOWN_APART and value is not False and value not in empty
    }
    return {
        "job": job,
        "told": tell(job, line_for(job.tenant, [job])),
        "timeline": [first, *events],
        "artifacts": artifacts,
        "kpis": [(kpi.title, kpi.text(kpis[kpi.name])) for kpi in KPIS.values() if kpis.get(kpi.name) is not None],
        "errors": results.get("errors") or [],
        "waited_s": ((job.started_at or ends) - job.submitted_at).total_seconds(),
        "ran_s": (ends - job.started_at).total_seconds() if job.started_at else None,
        "request_facts": sorted(shown.items()),
        "map": map_of(job, {row.name for row in artifacts}),
        "has_summary": any(row.name == "summary.csv.gz" for row in artifacts),
        "has_travel_times": any(row.name == "travel_times.json" for row in artifacts),
    }
