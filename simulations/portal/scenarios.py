"""Scenarios: the list, what is inside one, upload and download."""

import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from rest_framework.exceptions import ValidationError

from simulations.api.requests import OverlayRequest, UploadRequest
from simulations.api.scenarios import MAX_VERSIONS, lines_of
from simulations.api.uploads import BoundedUploadHandler, HashedFile, refuse_repeated
from simulations.models import Job, Scenario, ScenarioProfile
from simulations.portal import files, glance, live
from simulations.portal.access import Seat, member_page, seat_of, show
from simulations.portal.jobs import NOT_SHOWN, told_of
from simulations.portal.lookup import find_scenario
from simulations.services import add_scenario, delete_scenario
from simulations.services.overlays import add_overlay
from simulations.services.profiles import make_some, with_profile
from simulations.services.storage import uses_of
from simulations.telling import tell
from simulations.waiting import line_for
from tenants.errors import ApiError
from tenants.members import Role

ROWS = 50
LOOKS = 60  # for pictures that are not drawn yet: three minutes
DRAWING_S = 1.0  # in each
SAMPLE = Path(__file__).parent.parent / "samples" / "midtown_peak.zip"
UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
Problems = Sequence[Mapping[str, Any]]


@member_page()
def scenario_list(request: HttpRequest, seat: Seat) -> HttpResponse:
    """The newest version of each that the tenant sees."""
    return _list(request, seat)


def _list(request: HttpRequest, seat: Seat, problems: Problems = (), *, status: int = 200) -> HttpResponse:
    page = _page_of(request, seat)
    context = _rows(page, look=0) | {
        "use": next(use for use in uses_of(seat.tenant.pk) if use.kind == "scenarios"),
        "problems": problems,
    }
    return show(request, seat, "portal/scenarios.html", context, status=status)


@member_page()
def scenario_rows(request: HttpRequest, seat: Seat) -> HttpResponse:
    """The list's rows, for polling while a picture is still to be drawn: some are drawn for it."""
    page, look = _page_of(request, seat), request.GET.get("look", "0")
    make_some(list(page), within_s=DRAWING_S)
    context = _rows(page, look=int(look) + 1 if re.fullmatch(r"\d{1,3}", look) else LOOKS)
    ended = context["look"] is None
    return show(request, seat, "portal/_scenarios.html", context, status=live.STOP_POLLING if ended else 200)


def _page_of(request: HttpRequest, seat: Seat) -> Page[Scenario]:
    return Paginator(Scenario.objects.one_per_name(seat.tenant.pk), ROWS).get_page(request.GET.get("page"))


def _rows(page: Page[Scenario], *, look: int) -> dict[str, Any]:
    """`look` counts the polls from 1, None once all pictures are there or too many looks were in vain."""
    drawn = with_profile(list(page))
    waits = look < LOOKS and any(scenario.pk not in drawn for scenario in page)
    return {"page": page, "drawn": drawn, "look": look if waits else None}


@member_page()
def scenario_page(request: HttpRequest, seat: Seat, scenario_id: str) -> HttpResponse:
    """One version, the newest if none is named, the others beside it and what ran of it."""
    return _scenario(request, seat, find_scenario(request, seat, scenario_id))


def _scenario(
    request: HttpRequest, seat: Seat, scenario: Scenario, problems: Problems = (), *, status: int = 200
) -> HttpResponse:
    scenario_id = scenario.scenario_id
    versions = Scenario.objects.filter(tenant=scenario.tenant_id, scenario_id=scenario_id).order_by("-version")
    ran = Job.objects.filter(tenant=seat.tenant).of_scenario(scenario_id).defer(*NOT_SHOWN)
    jobs = list(ran.order_by("-submitted_at", "-job_id")[:10])
    line = line_for(seat.tenant, jobs)
    found = scenario.inspection
    context = {
        "scenario": scenario,
        "found": found,
        "configs": [(path, report) for path, report in (found.get("configs") or {}).items()],
        "warnings": found.get("warnings") or [],
        "versions": glance.told_of_versions(versions.defer("inspection")[:MAX_VERSIONS]),
        "glance": glance.of_scenario(scenario) if ScenarioProfile.objects.filter(scenario=scenario).exists() else None,
        "jobs": [(job, tell(job, line)) for job in jobs],
        "problems": problems,
    }
    return show(request, seat, "portal/scenario.html", context, status=status)


@member_page()
def archive(request: HttpRequest, seat: Seat, scenario_id: str) -> HttpResponseBase:
    """The zip as uploaded."""
    scenario = find_scenario(request, seat, scenario_id)
    save_as = f"{scenario.scenario_id}-v{scenario.version}.zip"
    return files.send(request, str(scenario.file), save_as=save_as, sha256=scenario.sha256)


@member_page("POST", role=Role.ENGINEER)
def delete(request: HttpRequest, seat: Seat, scenario_id: str) -> HttpResponse:
    """One version."""
    scenario = find_scenario(request, seat, scenario_id)
    try:
        delete_scenario(tenant=seat.tenant, scenario_id=scenario_id, version=scenario.version)
    except ApiError as error:
        messages.error(request, told_of(error))
        return redirect("portal:scenario", seat.tenant.pk, scenario_id)
    messages.success(request, f"{scenario} is deleted.")
    return redirect("portal:scenarios", seat.tenant.pk)


def may_upload(request: HttpRequest, tenant_id: str) -> HttpResponse:
    """What the proxy in front asks before it takes an upload's bytes (sumok8/nginx.conf): 204, 401 or 403."""
    if not request.user.is_authenticated:
        return HttpResponse(status=401)
    seat = seat_of(request.user, tenant_id)
    return HttpResponse(status=204 if seat and seat.may_run and seat.tenant.is_active else 403)


@csrf_exempt  # the check reads the form, so it comes after the handler that takes its file
@member_page("POST", role=Role.ENGINEER)
def upload(request: HttpRequest, seat: Seat) -> HttpResponseBase:
    """The next version of a scenario as POST /scenarios takes it; with `base` as POST /scenarios/{id}/versions does.
    Scripts that show progress ask for JSON."""
    request.upload_handlers = [BoundedUploadHandler(request)]
    try:
        return _uploaded(request, seat)
    except ApiError as error:
        problems, status = error.details or [{"message": error.message}], error.status_code
    except ValidationError as error:
        problems, status = [{"message": told_of(error)}], 422
    if _is_script(request):
        return JsonResponse({"problems": problems}, status=status)
    if "base" in request.POST:
        return _scenario(request, seat, _base(request, seat), problems, status=status)
    return _list(request, seat, problems, status=status)


@csrf_protect
def _uploaded(request: HttpRequest, seat: Seat) -> HttpResponse:
    refuse_repeated(request.POST)
    if "base" in request.POST:
        return _laid_over(request, seat)
    given = {name: value for name, value in request.POST.items() if name in {"scenario_id", "config"} and value}
    file = request.FILES.get("file")
    if file is not None:
        given.setdefault("scenario_id", _name_from(file.name or ""))
    form = UploadRequest(data={**given, **({"file": file} if file else {})})
    form.is_valid(raise_exception=True)
    content: HashedFile = form.validated_data["file"]
    scenario, is_new = add_scenario(
        tenant=seat.tenant,
        scenario_id=form.validated_data["scenario_id"],
        content=cast(BinaryIO, content),
        size=content.size or 0,
        sha256=content.sha256,
        config=form.validated_data.get("config"),
    )
    address = reverse("portal:scenario", args=[seat.tenant.pk, scenario.scenario_id])
    messages.success(request, f"{scenario} is stored." if is_new else f"{scenario} has these very bytes already.")
    return JsonResponse({"address": address}) if _is_script(request) else redirect(address)


def _laid_over(request: HttpRequest, seat: Seat) -> HttpResponse:
    base, file = _base(request, seat), request.FILES.get("file")
    given = {name: value for name, value in request.POST.items() if name in {"remove", "save_as"} and value}
    form = OverlayRequest(data={**given, **({"file": file} if file else {})})
    form.is_valid(raise_exception=True)
    scenario, is_new = add_overlay(
        tenant=seat.tenant,
        base=base,
        changes=cast("BinaryIO | None", file),
        removed=lines_of(form.validated_data.get("remove", "")),
        save_as=form.validated_data.get("save_as", base.scenario_id),
    )
    messages.success(request, f"{scenario} is stored." if is_new else f"{scenario} is the same already.")
    address = reverse("portal:scenario", args=[seat.tenant.pk, scenario.scenario_id])
    return redirect(f"{address}?version={scenario.version}")


def _base(request: HttpRequest, seat: Seat) -> Scenario:
    """What is laid over: its id, and its version if that is one."""
    name, _, version = request.POST["base"].rpartition(":")
    rows = Scenario.objects.visible_to(seat.tenant.pk).filter(scenario_id=name)
    found = rows.filter(version=int(version)).best_first().first() if re.fullmatch(r"[1-9]\d{0,8}", version) else None
    if found is None:
        raise Http404
    return found


@member_page("POST", role=Role.ENGINEER)
def take_sample(request: HttpRequest, seat: Seat) -> HttpResponse:
    """The sample as a scenario of the tenant's own, ready to be submitted."""
    content = SAMPLE.read_bytes()
    try:
        add_scenario(
            tenant=seat.tenant,
            scenario_id=SAMPLE.stem,
            content=io.BytesIO(content),
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )
    except ApiError as error:
        messages.error(request, told_of(error))
        return redirect("portal:home", seat.tenant.pk)
    return redirect(f"{reverse('portal:submit', args=[seat.tenant.pk])}?scenario_id={SAMPLE.stem}")


def _is_script(request: HttpRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def _name_from(file_name: str) -> str:
    """`Ring road (new).zip` → `Ring-road-new`."""
    return UNFIT.sub("-", file_name.removesuffix(".zip")).strip("-._")[:64]
