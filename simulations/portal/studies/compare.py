"""The pages of comparisons: of a study, of picked jobs, and what a guest with a link sees."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from simulations.api.jobs import filters
from simulations.api.requests import JobListQuery
from simulations.models import Job, JobQuerySet
from simulations.models.columns import FOR_COMPARISON
from simulations.portal import maps
from simulations.portal.access import Seat, in_turn, member_page, show
from simulations.portal.lookup import find_study
from simulations.portal.models import DAYS, MOST_OPEN, SharedComparison
from simulations.portal.studies.comparison import comparison
from simulations.portal.studies.picked_jobs import MOST_JOBS, compare_jobs, job_ids
from simulations.portal.studies.verdict import headline, kind_of
from simulations.studies.figures import answer_of
from simulations.studies.models import Study
from simulations.studies.results import results_of
from tenants.members import Role
from tenants.throttling import bucket_of_address, count, of_failed_keys, of_tenant


@member_page()
def study_compare(request: HttpRequest, seat: Seat, study_id: UUID) -> HttpResponse:
    study = find_study(seat, study_id)
    return in_turn(study.tenant_id, lambda: _page(request, seat, study))


def _page(request: HttpRequest, seat: Seat, study: Study, *, link: str = "", wrong: str = "") -> HttpResponse:
    context = of_study(request, study) | {"link": link, "wrong": wrong, "days": DAYS, "map": maps.study_map(study)}
    if seat.may_run:
        context["shares"] = list(study.shares.open().select_related("created_by")[:MOST_OPEN])
    return show(request, seat, "portal/studies/compare.html", context, status=409 if wrong else 200)


def of_study(request: HttpRequest, study: Study) -> dict[str, Any]:
    results = results_of(study)
    answer = answer_of(results)
    said = headline(
        answer, ended=len(results.runs), total=len(results.cells) * len(study.seeds), final=not study.is_active
    )
    return comparison(answer, request.GET) | {"study": study, "headline": said, "kind": kind_of(study, answer)}


@member_page("POST", role=Role.ENGINEER)
def share(request: HttpRequest, seat: Seat, study_id: UUID) -> HttpResponse:
    """A new link, shown in this answer alone."""
    study = find_study(seat, study_id)
    return in_turn(study.tenant_id, lambda: _share(request, seat, study))


def _share(request: HttpRequest, seat: Seat, study: Study) -> HttpResponse:
    days = request.POST.get("days", "")
    if days not in map(str, DAYS):
        return _page(request, seat, study, wrong=f"A link is open for {', '.join(map(str, DAYS))} days.")
    made = SharedComparison.objects.share(study, days=int(days), user_id=seat.user.pk)
    if made is None:
        return _page(request, seat, study, wrong=f"{MOST_OPEN} links are open; end one first.")
    _, key = made
    return _page(request, seat, study, link=request.build_absolute_uri(f"{reverse('portal:shared')}?key={key}"))


@member_page("POST", role=Role.ENGINEER)
def end_share(request: HttpRequest, seat: Seat, study_id: UUID, share_id: int) -> HttpResponse:
    """Nobody can read by it from now on. May be repeated."""
    study = find_study(seat, study_id)
    study.shares.filter(pk=share_id, revoked_at=None).update(revoked_at=timezone.now())
    return redirect("portal:study-compare", seat.tenant.pk, study_id)


@require_safe
def shared(request: HttpRequest) -> HttpResponse:
    """The comparison and nothing else. Keys that are not valid are counted by address, valid ones by themselves."""
    key = request.GET.get("key", "")[:100]
    row = SharedComparison.objects.open().with_key(key).select_related("study__tenant").first()
    bucket = f"shared:{row.pk}" if row else bucket_of_address(request.META.get("REMOTE_ADDR", ""))
    limit = of_tenant(row.study.tenant) if row else of_failed_keys()
    if limit and not (counted := count(bucket, limit)).allowed:
        refusal = counted.refusal("Too many requests; wait a moment.")
        return HttpResponse(refusal.message, status=429, headers=refusal.headers, content_type="text/plain")
    if row is None:
        raise Http404
    shown = row

    def page() -> HttpResponse:
        context = of_study(request, shown.study) | {"kept": [("key", key)], "until": shown.expires_at}
        return render(request, "portal/studies/shared.html", context)

    answer = in_turn(row.study.tenant_id, page)
    answer["Referrer-Policy"] = "no-referrer"
    answer["X-Robots-Tag"] = "noindex"
    return answer


@member_page()
def job_compare(request: HttpRequest, seat: Seat) -> HttpResponse:
    """Jobs picked one by one, or the newest of a label or a scenario; at most `MOST_JOBS`."""
    return in_turn(seat.tenant.pk, lambda: _jobs(request, seat))


def _jobs(request: HttpRequest, seat: Seat) -> HttpResponse:
    rows = Job.objects.filter(tenant=seat.tenant).only(*FOR_COMPARISON)
    given = {name: text for name in ("label", "scenario_id") if (text := request.GET.get(name, "")[:200])}
    ids = job_ids(request.GET.getlist("jobs"))
    notes = []
    if given and not ids:
        jobs = list(_alike(rows, given)[: MOST_JOBS + 1])
        kept = list(given.items())
        if len(jobs) > MOST_JOBS:
            notes.append(f"The newest {MOST_JOBS} are shown.")
        jobs = jobs[:MOST_JOBS]
    else:
        jobs = list(rows.filter(pk__in=ids[:MOST_JOBS]))
        kept = [("jobs", ",".join(str(job.pk) for job in jobs))]
        if len(ids) > MOST_JOBS:
            notes.append(f"More than {MOST_JOBS} were picked; the first {MOST_JOBS} are shown.")
        if len(jobs) < len(ids[:MOST_JOBS]):
            notes.append(f"{len(ids[:MOST_JOBS]) - len(jobs)} are not there any more.")
    picked = compare_jobs(jobs, request.GET.get("by", ""), request.GET.get("kpi", ""))
    notes += picked.notes
    context = {
        "count": len(jobs), "ways": picked.ways, "by": picked.by,
        "notes": notes, "kept": kept,
    }  # fmt: skip
    if picked.answer:
        answer = picked.answer
        said = headline(answer, ended=len(jobs), total=len(jobs), final=True)
        context |= comparison(answer, request.GET) | {"headline": said}
    return show(request, seat, "portal/studies/jobs_compare.html", context)


def _alike(rows: JobQuerySet, given: dict[str, str]) -> JobQuerySet:
    """By the filters of GET /jobs; none where those are not understood."""
    wanted = {name: [text] if name == "label" else text for name, text in given.items()}
    asked = JobListQuery(data=wanted)
    if not asked.is_valid():
        return rows.none()
    rows = rows.filter(filters(asked.validated_data)).order_by("-submitted_at", "-job_id")
    return rows.of_scenario(given["scenario_id"]) if "scenario_id" in given else rows
