"""Who changed what of the tenant, for owners."""

from django.http import HttpRequest, HttpResponse

from simulations.api.pagination import cut, read_cursor
from simulations.portal.access import Seat, member_page, show
from tenants.acting import OWN_WAYS
from tenants.members import Role
from tenants.models import Change

PAGE_ROWS = 50
OPERATOR = "the operator"


@member_page(role=Role.OWNER)
def changes(request: HttpRequest, seat: Seat) -> HttpResponse:
    """Newest first. Who of the staff it was is not the tenant's to know."""
    try:
        cursor = read_cursor(request.GET["cursor"], int) if "cursor" in request.GET else None
    except ValueError:
        cursor = None
    found = Change.objects.filter(tenant_name=seat.tenant.pk)
    rows, older = cut(found, order_by="at", limit=PAGE_ROWS, cursor=cursor)
    for row in rows:
        if row.via not in OWN_WAYS:
            row.by, row.via = OPERATOR, ""
    context = {"rows": rows, "older": str(older or ""), "is_first": cursor is None}
    return show(request, seat, "portal/changes.html", context)
