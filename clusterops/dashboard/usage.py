"""`/admin/usage` for a browser: tenants and what their month comes to, and the same as CSV."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from clusterops.dashboard.access import staff_page
from clusterops.usage.api import AdminUsageView
from clusterops.usage.ledger import BillingPeriod, Statement, closes_at
from clusterops.usage.months import ORDERS, Sums, months, tenants_of, total_of
from simulations.studies.exports.tables import lines
from tenants.models import Tenant

PAGE_ROWS = 100
MAX_LINES = 50_000  # of the CSV
HEADS = {
    "tenant": "Tenant",
    "cpu": "CPU-hours",
    "memory": "GiB-hours",
    "runs": "Runs",
    "storage": "GiB-days kept",
    "credit": "Credits",
    "cost": "Cost",
}


@dataclass(frozen=True)
class Row:
    sums: Sums
    tenant: Tenant | None  # that has the name now
    statement: int | None


@staff_page
def usage_page(request: HttpRequest) -> HttpResponse:
    """A month, by tenant; complete without JavaScript."""
    month, offered = _month(request)
    order = request.GET.get("sort", "")
    order = order if order in ORDERS else "cost"
    page = Paginator(tenants_of(month, order), PAGE_ROWS).get_page(request.GET.get("page"))
    context = {
        **{"month": month, "months": offered, "heads": HEADS, "order": order, "page": page, "rows": _rows(month, page)},
        **{"total": total_of(month), "currency": settings.BILLING_CURRENCY, "zone": settings.BILLING_TIME_ZONE},
        **{"closed": BillingPeriod.objects.filter(pk=month).first(), "closes_at": closes_at(month)},
    }
    return render(request, "cluster/usage.html", context)


@staff_page
def usage_csv(request: HttpRequest) -> HttpResponseBase:
    month, _ = _month(request)
    answer = StreamingHttpResponse(lines(_table(month)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="usage-{month}.csv"'
    return answer


class UsageOrPageView(AdminUsageView):
    """GET /admin/usage: a page for a browser, else the API's answer."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        is_browser = request.method == "GET" and "text/html" in request.headers.get("Accept", "")
        answer = usage_page(request) if is_browser else super().dispatch(request, *args, **kwargs)
        patch_vary_headers(answer, ["Accept"])
        return answer


def _month(request: HttpRequest) -> tuple[str, list[str]]:
    """The one that is asked for, else the present one; and all that may be."""
    if not request.user.has_perm("simulations.view_job"):
        raise PermissionDenied
    offered = months()
    asked = request.GET.get("month", "")
    return (asked if asked in offered else offered[0]), offered


def _rows(month: str, page: Any) -> list[Row]:
    found = [Sums.of(row) for row in page]
    names = [sums.tenant_name for sums in found]
    tenants = Tenant.objects.filter(pk__in=names).select_related("plan").in_bulk()
    kept = Statement.objects.filter(period=month, tenant_name__in=names).values_list("tenant_name", "generation", "pk")
    statements = {(name, generation): pk for name, generation, pk in kept}
    return [
        Row(
            sums,
            None if sums.generation else tenants.get(sums.tenant_name),
            statements.get((sums.tenant_name, sums.generation)),
        )
        for sums in found
    ]


def _table(month: str) -> Iterator[list[Any]]:
    names = ("cpu_hours", "gib_hours", "runs", "storage_gib_days", "credits", "cost")
    yield ["month", "tenant_id", "erased", *names, "currency"]
    for row in tenants_of(month, "tenant")[:MAX_LINES]:
        sums = Sums.of(row)
        hours = [f"{value:.4f}" for value in (sums.cpu, sums.memory)]
        money = ["" if value is None else f"{value:.6f}" for value in (sums.credit, sums.cost)]
        known = [*hours, f"{sums.runs:.0f}", f"{sums.storage:.4f}", *money]
        yield [month, sums.tenant_name, int(bool(sums.generation)), *known, settings.BILLING_CURRENCY]
