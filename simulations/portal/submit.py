"""Submitting: a form over POST /jobs, for one run or a few with different seeds."""

import json
import secrets
import shlex
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from rest_framework.exceptions import ValidationError

from simulations.api.requests import SubmitRequest
from simulations.models import Job, JobCount, Scenario
from simulations.portal.access import Seat, member_page, show
from simulations.portal.home import STARTED
from simulations.portal.jobs import idempotency_key, told_of
from simulations.portal.submit_form import SubmitForm
from simulations.services import check_job, submit_job
from tenants.errors import ApiError
from tenants.members import Role

MAX_SCENARIOS = 500
USUAL = {"cpu_request": 1, "memory_gi": 1, "runs": 1, "edges": True}


@member_page("GET", "HEAD", "POST", role=Role.ENGINEER)
def submit(request: HttpRequest, seat: Seat) -> HttpResponse:
    """`check` tells what would happen, `submit` does it."""
    names = list(Scenario.objects.one_per_name(seat.tenant.pk).values_list("scenario_id", flat=True)[:MAX_SCENARIOS])
    if request.method != "POST":
        start = {
            name: request.GET[name] for name in ("scenario_id", "config", "scenario_version") if name in request.GET
        }
        return _page(request, seat, SubmitForm(names, initial={**USUAL, **start}))
    form = SubmitForm(names, request.POST)
    if not form.is_valid():
        return _page(request, seat, form, status=422)
    bodies = form.bodies()
    try:
        wanted = [SubmitRequest.read(body) for body in bodies]
    except ValidationError as error:
        form.take(error)
        return _page(request, seat, form, status=422)
    if "check" not in request.POST:
        return _submit(request, seat, form, wanted)
    try:
        check_job(tenant=seat.tenant, wanted=wanted[0])  # the others differ by their seed
    except ApiError as error:
        form.add_error(None, told_of(error))
        return _page(request, seat, form, status=error.status_code)
    return _page(request, seat, form, {"plan": _plan(seat, bodies)})


def _submit(request: HttpRequest, seat: Seat, form: SubmitForm, wanted: list[Any]) -> HttpResponse:
    """As many as are taken; the first refusal ends it, and is told."""
    key = idempotency_key(request)
    jobs: list[Job] = []
    for number, each in enumerate(wanted):
        try:
            job, _ = submit_job(tenant=seat.tenant, wanted=each, idempotency_key=key and f"{key}-{number}")
        except ApiError as error:
            if not jobs:
                form.add_error(None, told_of(error))
                return _page(request, seat, form, status=error.status_code)
            messages.warning(request, f"{len(jobs)} of {len(wanted)} were submitted. The next: {told_of(error)}")
            break
        jobs.append(job)
    if len(wanted) == 1:
        return redirect("portal:job", seat.tenant.pk, jobs[0].pk)
    if len(jobs) == len(wanted):
        messages.success(request, f"{len(jobs)} jobs are submitted.")
    return redirect("portal:jobs", seat.tenant.pk)


def _page(
    request: HttpRequest, seat: Seat, form: SubmitForm, more: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    context = {"form": form, "key": request.POST.get("key") or secrets.token_urlsafe(12), **(more or {})}
    return show(request, seat, "portal/submit.html", context, status=status)


def _plan(seat: Seat, bodies: list[dict[str, Any]]) -> dict[str, Any]:
    """How many would start now by the tenant's limits, and the same for programs. Two queries."""
    tenant, first = seat.tenant, bodies[0]
    started = Job.objects.filter(STARTED, tenant=tenant).values_list("cpu_request", "memory_gi").order_by()
    used = list(started)
    count = JobCount.objects.filter(tenant=tenant).first()
    queued = count.queued if count else 0
    room = min(
        tenant.max_concurrent_jobs - len(used),
        (tenant.max_cpu - sum(cpu for cpu, _ in used)) // first.get("cpu_request", 1),
        (tenant.max_memory_gi - sum(memory for _, memory in used)) // first.get("memory_gi", 1),
        len(bodies),
    )
    now = 0 if queued else max(0, room)
    return {"runs": len(bodies), "now": now, "before": queued, "curl": _curl(first), "python": _python(first)}


def _curl(body: dict[str, Any]) -> str:
    return (
        'curl -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\\n'
        f"  -d {shlex.quote(json.dumps(body, ensure_ascii=False))} $API/jobs"
    )


def _python(body: dict[str, Any]) -> str:
    given = "".join(f",\n    {name}={value!r}" for name, value in body.items() if name != "scenario_id")
    run = f"Client(API, KEY).run({body['scenario_id']!r}{given})"
    return f"from sumok8_client import Client\n\njob = {run}.wait()\nprint(job.kpis)"
