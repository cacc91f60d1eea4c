"""A new study: checked first, then submitted."""

import re
import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from rest_framework.exceptions import ValidationError

from simulations.api.rewording import flat, reworded
from simulations.models import Scenario
from simulations.portal.access import Seat, member_page, show
from simulations.portal.jobs import idempotency_key
from simulations.portal.studies.mending import COLUMNS, sorted_out
from simulations.portal.studies.request_form import StudyForm, as_curl
from simulations.studies.api.requests import StudyRequest, cells_of
from simulations.studies.api.views import dry_run
from simulations.studies.figures import title
from simulations.studies.kpis import FIGURES
from simulations.studies.services.submission import create_study
from tenants.errors import ApiError
from tenants.members import Role

MOST_SCENARIOS = 300
USUAL = (
    "mean_travel_time_s", "mean_time_loss_s", "mean_waiting_time_s", "mean_depart_delay_s", "mean_speed_ms",
    "trips_finished",
)  # fmt: skip


@member_page("GET", "HEAD", "POST", role=Role.ENGINEER)
def study_new(request: HttpRequest, seat: Seat) -> HttpResponse:
    """`do`: more (rows), check or submit."""
    if request.method != "POST":
        form = StudyForm.fresh(uuid.uuid4().hex, request.GET.get("scenario", ""))
        return _page(request, seat, form, {})
    act = request.POST.get("do")
    form = StudyForm(request.POST, more=act == "more")
    if act == "more":
        return _page(request, seat, form, {})
    body = form.body()
    try:
        wanted = StudyRequest.read(body)
    except ValidationError as error:
        found = list(flat(error.detail))
        problems = [{"where": where, "message": reworded(str(detail))} for where, detail in found]
        problems += _further(seat, {name: body[name] for name in body.keys() - {_top(where) for where, _ in found}})
        return _page(request, seat, form, {"problems": problems}, status=422)
    try:
        expansion = cells_of(wanted)
        if act == "submit":
            study, _ = create_study(
                tenant=seat.tenant, wanted=wanted, expansion=expansion, idempotency_key=idempotency_key(request)
            )
            messages.success(request, "Submitted: its runs start as slots become free.")
            return redirect("portal:study", seat.tenant.pk, study.pk)
        plan = dry_run(seat.tenant, wanted, expansion)
    except ApiError as error:
        problems = error.details or [{"message": error.message}]
        return _page(request, seat, form, {"problems": problems}, status=error.status_code)
    told = {
        "plan": plan,
        "cost": plan["estimate"],
        "curl": as_curl(f"{request.scheme}://{request.get_host()}", body),
    }
    return _page(request, seat, form, told)


def _top(where: str) -> str:
    return re.split(r"[.\[]", where)[0]


def _further(seat: Seat, body: dict[str, Any]) -> list[dict[str, Any]]:
    """What is wrong beside what could not be read, so that all is told at once. `body` is without that."""
    try:
        wanted = StudyRequest.read(body)
        dry_run(seat.tenant, wanted, cells_of(wanted))
    except ApiError as error:
        return list(error.details)
    except ValidationError:  # what was left out is needed to say more
        pass
    return []


def _page(
    request: HttpRequest, seat: Seat, form: StudyForm, told: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    names = Scenario.objects.one_per_name(seat.tenant.pk).values_list("scenario_id", flat=True)[:MOST_SCENARIOS]
    found = sorted_out(told.get("problems", []), form)
    context = {
        "form": form,
        "wrong": found.fields,
        "rest": found.rest,
        "rows": [
            (row, {column: found.fields.get(f"{column}-{number}") for column in COLUMNS})
            for number, row in enumerate(form.variants, 1)
        ],
        "scenarios": sorted({*names, *filter(None, [form.texts["scenario_id"]])}),
        "usual": [(name, title(FIGURES[name])) for name in USUAL],
        "others": [(name, title(figure)) for name, figure in FIGURES.items() if name not in USUAL],
    }
    return show(request, seat, "portal/studies/new.html", context | told, status=status)
