"""Who may see a tenant's pages, and do what there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from simulations.held import place_and_turn
from tenants.errors import ApiError
from tenants.members import Member, Role
from tenants.models import Tenant

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class Seat:
    """Somebody at a tenant's page, and what they may do there. `is_guest`: staff, who only look."""

    tenant: Tenant
    user: User
    role: Role
    is_guest: bool = False

    @property
    def may_run(self) -> bool:
        """Upload, submit, cancel."""
        return self.role.covers(Role.ENGINEER)


@dataclass(frozen=True)
class MenuEntry:
    """A page in the menu, for those whose role covers `role`; its own page and those below it mark it."""

    view: str
    title: str
    role: Role = Role.VIEWER


MENU = (
    MenuEntry("portal:home", "Home"),
    MenuEntry("portal:jobs", "Jobs"),
    MenuEntry("portal:studies", "Studies"),
    MenuEntry("portal:scenarios", "Scenarios"),
    MenuEntry("portal:submit", "Submit", Role.ENGINEER),
    MenuEntry("tenant-usage", "Usage"),
    MenuEntry("portal:keys", "Keys", Role.OWNER),
    MenuEntry("portal:webhooks", "Webhooks", Role.OWNER),
    MenuEntry("portal:members", "Members", Role.OWNER),
)


def seat_of(user: User | AnonymousUser, tenant_id: str) -> Seat | None:
    """A member's seat, or a guest's for staff who may view tenants. None: to this user there is no such tenant."""
    if isinstance(user, AnonymousUser):
        return None
    member = Member.objects.select_related("tenant").filter(tenant_id=tenant_id, user=user).first()
    if member:
        return Seat(tenant=member.tenant, user=user, role=Role(member.role))
    if user.is_staff and user.has_perm("tenants.view_tenant") and (tenant := _tenant(tenant_id)):
        return Seat(tenant=tenant, user=user, role=Role.VIEWER, is_guest=True)
    return None


def _tenant(tenant_id: str) -> Tenant | None:
    return Tenant.objects.filter(pk=tenant_id).first()


def member_page(*methods: str, role: Role = Role.VIEWER) -> Callable[[View], View]:
    """`view(request, seat, …)` for an address with `tenant_id`, by these methods (default: GET and HEAD).

    Signed out: to the sign-in, and back. No member: 404, as if there were no such tenant. Too small a role, or a tenant
    that is not active: 403.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, tenant_id: str, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                back = request.get_full_path() if request.method in {"GET", "HEAD"} else reverse("front")
                return redirect_to_login(back)
            seat = seat_of(request.user, tenant_id)
            if seat is None:
                raise Http404
            if not seat.role.covers(role) or not (seat.tenant.is_active or seat.is_guest):
                raise PermissionDenied
            return view(request, seat, **kwargs)

        return require_http_methods(list(methods or ("GET", "HEAD")))(guarded)

    return decorate


def show(
    request: HttpRequest, seat: Seat, template: str, context: Mapping[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """A page of the tenant with its menu."""
    return render(request, template, {**(context or {}), "seat": seat, "menu": menu_of(request, seat)}, status=status)


def in_turn(tenant_id: str, page: Callable[[], HttpResponse]) -> HttpResponse:
    """A page that takes up to seconds of computing."""
    try:
        with place_and_turn(tenant_id):
            return page()
    except ApiError as error:
        return refused(error)


def refused(error: ApiError) -> HttpResponse:
    """As a page's plain sentence."""
    answer = HttpResponse(error.message, status=error.status_code, content_type="text/plain; charset=utf-8")
    for header, value in error.headers.items():
        answer[header] = value
    return answer


def menu_of(request: HttpRequest, seat: Seat) -> list[dict[str, Any]]:
    """What this person may go to there."""
    entries = []
    for entry in MENU:
        if seat.role.covers(entry.role):
            url = reverse(entry.view, args=[seat.tenant.pk])
            here = request.path == url or (entry.view != "portal:home" and request.path.startswith(f"{url}/"))
            entries.append({"title": entry.title, "url": url, "is_here": here})
    return entries
