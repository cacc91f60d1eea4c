"""The list of jobs, one job's page, and what can be done with it there."""

import re
import secrets
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from simulations.api import again
from simulations.api.jobs import IDEMPOTENCY_KEY, filters
from simulations.api.pagination import page
from simulations.api.requests import JobListQuery
from simulations.charts.chart import Chart
from simulations.charts.curves import Curve, CurvePoint, curves
from simulations.charts.scale import plain
from simulations.models import Job
from simulations.portal import live, maps
from simulations.portal.access import Seat, member_page, show
from simulations.portal.lookup import find_job
from simulations.portal.verdict import TWICE, figures, phases, verdict
from simulations.sumo.protocol.endings import Reason
from simulations.telling import tell
from simulations.templatetags.figures import duration
from simulations.waiting import line_for
from tenants.errors import ApiError
from tenants.members import Role

NOT_SHOWN = ("results", "request_sha256", "idempotency_key")
SHOWN_APART = {"cpu_request", "memory_gi", "labels", "scenario_id", "scenario_version"}  # of the request
MAX_PAGE_FILES = 200
LABEL = re.compile(r"\s*[:=]\s*")  # between a name and its value


@member_page()
def job_list(request: HttpRequest, seat: Seat) -> HttpResponse:
    """Newest first, by the filters of GET /jobs."""
    given = {name: request.GET.get(name, "").strip()[:200] for name in ("status", "label", "scenario_id", "cursor")}
    wanted: dict[str, Any] = {name: value for name, value in given.items() if value}
    for name in ("status", "label"):
        if name in wanted:
            wanted[name] = [LABEL.sub(":", wanted[name], count=1)]
    asked = JobListQuery(data=wanted)
    problem = ""
    chosen: dict[str, Any] = {"limit": 50}
    if asked.is_valid():
        chosen = asked.validated_data
    else:
        problem = "; ".join(sentence for errors in asked.errors.values() for sentence in sentences_of(errors))
    rows = Job.objects.filter(filters(chosen), tenant=seat.tenant).defer(*NOT_SHOWN)
    if scenario_id := chosen.get("scenario_id"):
        rows = rows.of_scenario(scenario_id)
    found, older = page(request, rows, order_by="submitted_at", limit=chosen["limit"], cursor=chosen.get("cursor"))
    line = line_for(seat.tenant, found)
    context = {
        "rows": [(job, tell(job, line)) for job in found],
        "older": older,
        "given": given,
        "label_filter": chosen.get("label", [None])[0],
        "problem": problem,
        "statuses": Job.Status.values,
    }
    return show(request, seat, "portal/jobs.html", context, status=400 if problem else 200)


def sentences_of(errors: Any) -> list[str]:
    """Of a serializer's errors, however deep."""
    if isinstance(errors, dict):
        return [sentence for inner in errors.values() for sentence in sentences_of(inner)]
    if isinstance(errors, list):
        return [sentence for inner in errors for sentence in sentences_of(inner)]
    return [str(errors)]


@member_page()
def job_page(request: HttpRequest, seat: Seat, job_id: UUID) -> HttpResponse:
    """Complete without JavaScript, live with it."""
    job = find_job(seat, job_id)
    return show(request, seat, "portal/job.html", _state(job))


@member_page()
def job_now(request: HttpRequest, seat: Seat, job_id: UUID) -> HttpResponse:
    """The live part, for polling."""
    job = find_job(seat, job_id)
    return live.fragment(request, seat, "portal/_job.html", _state(job), ended=job.is_finished)


def _state(job: Job) -> dict[str, Any]:
    """Two queries, three for a job that waits in line."""
    events = list(job.events.all())
    artifacts = list(job.artifacts.filter(attempt=job.attempt)[: MAX_PAGE_FILES + 1])
    line = line_for(job.tenant, [job])
    told = tell(job, line)
    headlines, rest = figures(job)
    asked = job.scenario_data.items()
    names = {row.name for row in artifacts}
    results: Mapping[str, Any] = job.results or {}
    return {
        "job": job,
        "told": told,
        "place": line.place(job) if line and job.is_queued else None,
        "verdict": verdict(job, told, end=end_of(job)),
        "headlines": headlines,
        "figures": rest,
        "errors": results.get("errors") or [],
        "events": events,
        "phases": phases(job, events, now=timezone.now()),
        "artifacts": artifacts[:MAX_PAGE_FILES],
        "more_files": len(artifacts) > MAX_PAGE_FILES,
        "has_summary": "summary.csv.gz" in names,
        "has_travel_times": "travel_times.json" in names,
        "map": maps.job_map(job, names),
        "facts": sorted(
            (name, ", ".join(map(str, value)) if isinstance(value, list) else value)
            for name, value in asked
            if name not in SHOWN_APART and value is not False and value not in (None, "", {}, [])
        ),
        "twice": _twice(job),
        "so_far": _so_far(job),
        "again_key": secrets.token_urlsafe(12),
        "mark": live.mark(live.state_of(job), told, len(events), sorted(names), line.place(job) if line else None),
    }


def _so_far(job: Job) -> Chart | None:
    """The run's traffic up to now, from its progress; its files tell it better once it has ended."""
    progress: Mapping[str, Any] = job.progress or {}
    trail = progress.get("trail") or []
    if job.status != Job.Status.RUNNING or job.waits or len(trail) < 2:
        return None
    drawn = [
        Curve(name, tuple(CurvePoint(point[0], point[place]) for point in trail))
        for place, name in ((1, "Running"), (2, "Halting"))
    ]
    return curves(
        "Vehicles so far", drawn, x_unit="simulated time, h:mm", y_unit="vehicles",
        text=lambda value: plain(value, 0), times=True, zero=True,
    )  # fmt: skip


def _twice(job: Job) -> dict[str, Any] | None:
    """What to offer more of to a run that failed: what it lacked, else memory; `is_sure` where that is known."""
    if job.status != Job.Status.FAILED:
        return None
    lacked = TWICE.get(Reason(job.reason)) if job.reason in set(Reason) else None
    if lacked == "time_limit_s":
        words = f"a limit of {duration(2 * job.scenario_data.get('time_limit_s', 0))}"
        return {"field": lacked, "words": words, "is_sure": True}
    return {"field": "memory_gi", "words": f"{2 * job.memory_gi} Gi", "is_sure": lacked is not None}


def end_of(job: Job) -> float | None:
    """When the simulation was to end, in seconds: as asked, else as its configuration says."""
    if (asked := job.scenario_data.get("end")) is not None:
        return asked
    if job.scenario is None:
        return None
    config = job.scenario_data.get("config") or job.scenario.config
    end = (job.scenario.inspection.get("configs") or {}).get(config, {}).get("end")
    return end if isinstance(end, int | float) else None


@member_page("POST", role=Role.ENGINEER)
def cancel(request: HttpRequest, seat: Seat, job_id: UUID) -> HttpResponse:
    job = find_job(seat, job_id)
    if not job.request_cancel() and job.is_finished:
        messages.warning(request, "The job had ended already.")
    return redirect("portal:job", seat.tenant.pk, job_id)


@member_page("POST", role=Role.ENGINEER)
def run_again(request: HttpRequest, seat: Seat, job_id: UUID) -> HttpResponse:
    """The same request once more, seed and bytes of the scenario included; with `twice`, twice of that field."""
    earlier = find_job(seat, job_id)
    asked: dict[str, Any] = {**earlier.scenario_data}
    field = request.POST.get("twice")
    changes = {field: 2 * asked[field]} if field in TWICE.values() and field in asked else None
    try:
        job = again.run_again(earlier, changes, idempotency_key=idempotency_key(request))
    except (ApiError, ValidationError) as error:
        messages.error(request, told_of(error))
        return redirect("portal:job", seat.tenant.pk, job_id)
    return redirect("portal:job", seat.tenant.pk, job.pk)


def idempotency_key(request: HttpRequest) -> str | None:
    """Of a form that may be sent twice by one click too many."""
    key = request.POST.get("key", "")
    return f"page-{key}" if IDEMPOTENCY_KEY.fullmatch(key) and len(key) <= 100 else None


def told_of(error: ApiError | ValidationError) -> str:
    """What was refused, as sentences."""
    if isinstance(error, ApiError):
        return " ".join([error.message, *(str(entry["message"]) for entry in error.details)])
    return " ".join(sentences_of(error.detail))
