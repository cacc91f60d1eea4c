"""Pages of tenants: the list, one tenant's limits and waits, and who changed what."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from clusterops.dashboard import tenant_list
from clusterops.dashboard.access import staff_action, staff_page
from clusterops.dashboard.insight import LIMITS, insight
from simulations.api.pagination import cut, read_cursor
from tenants.history import change
from tenants.limits import field_of
from tenants.models import Change, Tenant

LOOK = "tenants.view_tenant"
RECENT = 10
PAGE_ROWS = 50
MOST = 1_000_000  # of a limit that is set here


@staff_page
def tenants_page(request: HttpRequest) -> HttpResponse:
    """Who uses what and waits how long."""
    return render(request, "cluster/tenants.html", tenant_list.page(request.GET))


@staff_page
def tenant_page(request: HttpRequest, tenant_id: str) -> HttpResponse:
    """One tenant: its limits' use in a week, what would have helped, and what was changed of late."""
    tenant = get_object_or_404(Tenant.objects.select_related("plan"), pk=tenant_id)
    changes = list(Change.objects.filter(tenant_name=tenant.pk)[:RECENT]) if request.user.has_perm(LOOK) else None
    return render(request, "cluster/tenant.html", {"tenant": tenant, "s": insight(tenant), "changes": changes})


@staff_action("tenants.change_tenant")
def set_limits(request: HttpRequest, tenant_id: str) -> HttpResponse:
    """POST max_cpu=…, max_memory_gi=…, max_concurrent_jobs=…: those that are given."""
    wanted = {name: int(request.POST[name]) for name in LIMITS if _is_number(request.POST.get(name, ""))}
    with transaction.atomic():
        found = Tenant.objects.select_for_update(of=("self",), no_key=True).select_related("plan")
        tenant = get_object_or_404(found, pk=tenant_id)
        try:
            changed = tenant.change_limits(**wanted)
        except ValidationError as error:
            messages.warning(request, " ".join(error.messages))
            return redirect("cluster:tenant", tenant_id)
        if changed:
            said = "; ".join(change(name, old, new) for name, (old, new) in changed.items())
            LogEntry.objects.log_actions(request.user.pk, [tenant], CHANGE, said)  # type: ignore[arg-type]
            named = (change(field_of(name).verbose_name, old, new) for name, (old, new) in changed.items())
            messages.success(request, f"Set: {'; '.join(named)}.")
        else:
            messages.warning(request, "Nothing was changed.")
    return redirect("cluster:tenant", tenant_id)


@staff_page
def changes_page(request: HttpRequest) -> HttpResponse:
    """All changes, newest first; of one tenant or one kind."""
    if not request.user.has_perm(LOOK):
        raise PermissionDenied
    tenant, kind = request.GET.get("tenant", "").strip()[:40], request.GET.get("kind", "")
    found = Change.objects.all()
    if tenant:
        found = found.filter(tenant_name=tenant)
    if kind in Change.Kind.values:
        found = found.filter(kind=kind)
    return render(request, "cluster/changes.html", _page(request, found) | {"tenant": tenant, "kind": kind})


def _page(request: HttpRequest, found: Any) -> dict[str, Any]:
    try:
        cursor = read_cursor(request.GET["cursor"], int) if "cursor" in request.GET else None
    except ValueError:
        cursor = None
    rows, older = cut(found, order_by="at", limit=PAGE_ROWS, cursor=cursor)
    return {"rows": rows, "older": str(older or ""), "is_first": cursor is None, "kinds": Change.Kind.choices}


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10 and 0 < int(text) <= MOST
