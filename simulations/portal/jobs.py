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
from simulations.api.rewording import flat, reworded
from simulations.charts.chart import Chart
from simulations.charts.curves import Curve, CurvePoint, curves
from simulations.charts.scale import plain
from simulations.findings import findings, moment_of
from simulations.models import Job
from simulations.portal import live, maps
from simulations.portal.access import Seat, member_page, show
from simulations.portal.labels import CELL, STUDY, labels_of, study_names
from simulations.portal.lookup import find_job
from simulations.portal.offers import Offer, offer
from simulations.request_facts import request_facts
from simulations.sumo.inputs.options import EDGES
from simulations.telling import tell
from simulations.verdict import phases
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
    names = study_names(seat.tenant, found)
    context = {
        "rows": [(job, tell(job, line), labels_of(job, names)) for job in found],
        "older": older,
        "given": given,
        "label_filter": chosen.get("label", [None])[0],
        "problem": problem,
        "statuses": Job.Status.values,
    }
    return show(request, seat, "portal/jobs.html", context, status=400 if problem else 200)


def sentences_of(errors: Any) -> list[str]:
    """Of a serializer's errors, however deep."""
    return [reworded(str(told)) for _, told in flat(errors)]


@member_page()
def job_page(request: HttpRequest, seat: Seat, job_id: UUID) -> HttpResponse:
    """Complete without JavaScript, live with it."""
    job = find_job(seat, job_id)
    return show(request, seat, "portal/job.html", _state(job))


@member_page()
def job_now(request: HttpRequest, seat: Seat, job_id: UUID) -> HttpResponse:
    """The live part, for polling."""
    job = find_job(seat, job_id)
    context = _state(job) | {"is_fragment": True}
    return live.fragment(request, seat, "portal/_job.html", context, ended=job.is_finished)


def _state(job: Job) -> dict[str, Any]:
    """Two queries; one more each for a job that waits in line and for one of a study."""
    events = list(job.events.all())
    artifacts = list(job.artifacts.filter(attempt=job.attempt))
    found = findings(job, artifacts)
    study = study_names(job.tenant, [job]).get(job.labels.get(STUDY, ""))
    names = {row.name for row in artifacts}
    return found | {
        "events": events,
        "phases": phases(job, events, now=timezone.now()),
        "artifacts": artifacts[:MAX_PAGE_FILES],
        "more_files": len(artifacts) > MAX_PAGE_FILES,
        "map": maps.job_map(job, names),
        "facts": request_facts(job.scenario_data, SHOWN_APART),
        "study": study,
        "study_id": job.labels.get(STUDY),
        "cell": job.labels.get(CELL),
        "labels": [(name, value) for name, value in job.labels.items() if not study or name not in (STUDY, CELL)],
        "offer": offer_of(job),
        "so_far": _so_far(job),
        "again_key": secrets.token_urlsafe(12),
        "mark": live.mark(live.state_of(job), found["told"], len(events), sorted(names), found["place"]),
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


def offer_of(job: Job) -> Offer | None:
    return offer(job, begin=moment_of(job, "begin") or 0.0, end=moment_of(job, "end"))


@member_page("POST", role=Role.ENGINEER)
def cancel(request: HttpRequest, seat: Seat, job_id: UUID) -> HttpResponse:
    job = find_job(seat, job_id)
    if not job.request_cancel() and job.is_finished:
        messages.warning(request, "The job had ended already.")
    return redirect("portal:job", seat.tenant.pk, job_id)


@member_page("POST", role=Role.ENGINEER)
def run_again(request: HttpRequest, seat: Seat, job_id: UUID) -> HttpResponse:
    """The same request once more, seed and bytes of the scenario included; with `more`, with what its page offered more
    of; with `map`, with what a map needs."""
    earlier = find_job(seat, job_id)
    changes: dict[str, Any] = {}
    offered, outputs = offer_of(earlier), earlier.scenario_data.get("outputs") or []
    if offered and offered.words and request.POST.get("more") == offered.field:
        changes[offered.field] = offered.value
    if "map" in request.POST and EDGES not in outputs:
        changes["outputs"] = [*outputs, EDGES]
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
