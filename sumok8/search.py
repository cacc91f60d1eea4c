"""One search for all: a member's tenants, or for staff all of them. Bounded rows of each kind, few queries."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from simulations.models import Job, JobQuerySet, Scenario
from simulations.portal.access import Seat, menu_of, seat_of
from simulations.searching import containing, digits_of, ids_with_prefix, searched_from
from simulations.studies.models import Study
from tenants.members import Member
from tenants.models import Tenant

LONGEST = 100  # characters
SHORTEST = 2
SHOWN = 20  # of each kind


@dataclass(frozen=True)
class Hit:
    """A line of the answer."""

    url: str
    title: str
    note: str = ""
    status: str = ""
    tenant: str = ""


@dataclass(frozen=True)
class Kind:
    """What was found of one kind; one more than is shown was asked for."""

    name: str
    rows: list[Hit]

    @property
    def hits(self) -> list[Hit]:
        return self.rows[:SHOWN]

    @property
    def has_more(self) -> bool:
        return len(self.rows) > SHOWN


@dataclass(frozen=True)
class Scope:
    """Whose things are searched; `tenants` None: everybody's."""

    tenants: list[str] | None
    by_staff: bool

    def of(self, column: str = "tenant") -> Q:
        return Q() if self.tenants is None else Q(**{f"{column}__in": self.tenants})


@login_required
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """`tenant` keeps to one, whose menu stays."""
    user = request.user
    assert isinstance(user, User)
    text = request.GET.get("q", "").strip()[:LONGEST]
    seat, places = None, list[Member]()
    if wanted := request.GET.get("tenant"):
        seat = seat_of(user, wanted)
        if seat is None or not (seat.tenant.is_active or seat.is_guest):
            raise Http404
    else:
        places = Member.objects.places_of(user)
    scope = _scope(user, seat, places)
    found = _found(text, scope) if len(text) >= SHORTEST else []
    context = {
        "sought_everywhere": text,
        "found": found,
        "any": any(kind.rows for kind in found),
        "of_all": scope.tenants is None,
        "places": places,
        "seat": seat,
        "menu": menu_of(request, seat) if seat else (),
    }
    return render(request, "sumok8/search.html", context)


def _scope(user: User, seat: Seat | None, places: list[Member]) -> Scope:
    if seat:
        return Scope([seat.tenant.pk], by_staff=False)
    if user.is_staff and user.has_perms(["tenants.view_tenant", "simulations.view_job"]):
        return Scope(None, by_staff=True)
    return Scope([place.tenant_id for place in places], by_staff=False)


def _found(text: str, scope: Scope) -> list[Kind]:
    tenants = [Kind("Tenants", list(_tenants(text)))] if scope.by_staff else []
    return [
        *tenants,
        Kind("Jobs", list(_jobs(text, scope))),
        Kind("Studies", list(_studies(text, scope))),
        Kind("Scenarios", list(_scenarios(text, scope))),
    ]


def _tenants(text: str) -> Iterable[Hit]:
    rows = Tenant.objects.filter(Q(tenant_id__icontains=text) | Q(namespace__icontains=text)).order_by("tenant_id")
    for row in rows[: SHOWN + 1]:
        state = "" if row.is_active else "inactive"
        yield Hit(reverse("portal:home", args=[row.pk]), row.pk, state)


def _jobs(text: str, scope: Scope) -> Iterable[Hit]:
    rows: JobQuerySet = Job.objects.filter(scope.of())
    if ids := ids_with_prefix(rows, text, SHOWN + 1):
        rows = rows.filter(pk__in=ids)
    else:
        if begins := searched_from(rows):
            rows = rows.filter(submitted_at__gte=begins)
        rows = containing(rows, text)
    shown = rows.only("job_id", "tenant_id", "scenario_data", "status", "submitted_at")
    for job in shown.order_by("-submitted_at", "-job_id")[: SHOWN + 1]:
        address = ("cluster:job", [job.pk]) if scope.by_staff else ("portal:job", [job.tenant_id, job.pk])
        name = str(job.scenario_data.get("scenario_id") or "Job")
        note = f"{job.job_id.hex[:8]}, submitted {job.submitted_at:%Y-%m-%d %H:%M} UTC"
        yield Hit(reverse(address[0], args=address[1]), name, note, job.status, job.tenant_id)


def _studies(text: str, scope: Scope) -> Iterable[Hit]:
    matches = Q(name__icontains=text)
    if id_part := text.replace("-", "").lower():
        matches |= Q(digits__contains=id_part)
    rows = Study.objects.annotate(digits=digits_of("study_id")).filter(scope.of()).filter(matches)
    for study in rows.only("study_id", "tenant_id", "name", "status", "created_at")[: SHOWN + 1]:
        note = f"{study.study_id.hex[:8]}, made {study.created_at:%Y-%m-%d %H:%M} UTC"
        url = reverse("portal:study", args=[study.tenant_id, study.pk])
        yield Hit(url, study.name or "Study", note, study.status, study.tenant_id)


def _scenarios(text: str, scope: Scope) -> Iterable[Hit]:
    """A shared one leads to the page of the first tenant that sees it."""
    whose = scope.of() | Q(tenant=None) if scope.tenants else scope.of()
    rows = Scenario.objects.filter(whose, scenario_id__icontains=text).order_by("scenario_id", "tenant")
    for name, tenant in rows.values_list("scenario_id", "tenant").distinct()[: SHOWN + 1]:
        place = tenant or (scope.tenants[0] if scope.tenants else None)
        if place:
            url = reverse("portal:scenario", args=[place, name])
        else:
            url = f"{reverse('admin:simulations_scenario_changelist')}?{urlencode({'q': name})}"
        yield Hit(url, name, "" if tenant else "shared", tenant=tenant or "")
