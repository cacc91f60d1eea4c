"""What a tenant used, for its people: by day, by what it was used for, against its budget, and its statements."""

import re
from decimal import Decimal

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.utils import timezone

from clusterops.usage import counting
from clusterops.usage.api import LABEL
from clusterops.usage.budgets import in_force
from clusterops.usage.ledger import LedgerTotal, Statement, period_of
from clusterops.usage.statement_api import PERIOD, page, rows
from clusterops.usage.statements import statement
from simulations.portal.access import Seat, member_page, show
from simulations.studies.exports.tables import lines
from simulations.studies.models import Study
from tenants.models import Tenant
from tenants.plans import billing_today

MONTHS = 24  # offered
GROUPS = 100  # shown; GET /usage has more
WAYS = (
    ("scenario", "scenario"),
    ("study", "study"),
    ("job", "job"),
    ("ending", "how it ended"),
    ("label", "label"),
)


@member_page()
def usage(request: HttpRequest, seat: Seat) -> HttpResponse:
    """A month. Seven queries."""
    tenant = seat.tenant
    month, months = _month(request, tenant)
    by = request.GET.get("by", "scenario")
    label = request.GET.get("label", "").strip()
    if by == "label" and not re.match(LABEL, label):
        by, label = "scenario", ""
    by = by if by in dict(WAYS) else "scenario"
    runs = _period(month).runs().filter(tenant=tenant)
    found, more = counting.groups(runs, by, label=label)
    names = _study_names(seat, [each.name for each in found[:GROUPS]]) if by == "study" else {}
    budget = in_force(month, [tenant.pk]).get(tenant.pk)
    present = period_of(billing_today())
    totals = LedgerTotal.objects.filter(period__in={month, present}, tenant_name=tenant.pk, generation=0)
    charged = {row.period: row for row in totals}
    used = budget.used_of(charged.get(month)) if budget else None
    context = {
        "month": month,
        "months": months,
        "total": counting.total(runs).shown,
        "by": by,
        "ways": WAYS,
        "label": label,
        "rows": [(names.get(each.name, each.name), each.all.shown, each.billable.shown) for each in found[:GROUPS]],
        "more": more or len(found) > GROUPS,
        "days": [(each.name, each.all.shown, each.billable.shown) for each in counting.groups(runs, "day")[0]],
        "budget": budget,
        "used": used and budget and budget.shown(used),
        "limit": budget and budget.shown(budget.limit),
        "share": min(100, int(100 * used / budget.limit)) if budget and used is not None else None,
        "statements": Statement.objects.filter(tenant_name=tenant.pk, tenant=tenant).defer("body")[:MONTHS],
        "present": present,
        "cost": _cost(charged.get(month)),
        "cost_so_far": _cost(charged.get(present)),
        "currency": settings.BILLING_CURRENCY,
    }
    return show(request, seat, "usage/tenant.html", context)


@member_page()
def days(request: HttpRequest, seat: Seat) -> JsonResponse:
    """Numbers of the chart: CPU-hours of every day of a month, billed and not."""
    period = _period(_month(request, seat.tenant)[0])
    found = {each.name: each for each in counting.groups(period.runs().filter(tenant=seat.tenant), "day")[0]}
    numbers = range(1, (period.until - period.since).days + 1)
    counted = [found.get(period.since.replace(day=number).isoformat()) for number in numbers]
    billed = [_hours(each.billable.cpu_seconds) if each else 0 for each in counted]
    rest = [_hours(each.all.cpu_seconds - each.billable.cpu_seconds) if each else 0 for each in counted]
    return JsonResponse({"x": list(numbers), "billed": billed, "unbilled": rest})


@member_page()
def statement_file(request: HttpRequest, seat: Seat, period: str, form: str) -> HttpResponseBase:
    """A month's statement as a page to print or as CSV, as the API has it."""
    if not re.fullmatch(PERIOD, period) or period > period_of(billing_today()):
        raise Http404
    told = statement(seat.tenant.pk, period)
    if form == "html":
        return page(told)
    answer = StreamingHttpResponse(lines(rows(told)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="statement-{period}.csv"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _month(request: HttpRequest, tenant: Tenant) -> tuple[str, list[str]]:
    """The one asked for, else the present one; and those that are offered: none from before the tenant was made."""
    zone = counting.billing_zone()
    today, made = timezone.now().astimezone(zone).date(), tenant.created_at.astimezone(zone)
    first = f"{made.year}-{made.month:02d}"
    offered = []
    year, month = today.year, today.month
    for _ in range(MONTHS):
        offered.append(f"{year}-{month:02d}")
        if offered[-1] <= first:
            break
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    asked = request.GET.get("month", "")
    return (asked if asked in offered else offered[0]), offered


def _cost(total: LedgerTotal | None) -> Decimal | None:
    """None: nothing was charged, or there are no prices."""
    return total.amount if total and total.amount else None


def _period(month: str) -> counting.Period:
    year, number = month.split("-")
    return counting.Period.month(int(year), int(number))


def _study_names(seat: Seat, ids: list[str]) -> dict[str, str]:
    found = Study.objects.filter(tenant=seat.tenant, pk__in=[each for each in ids if each]).values_list("pk", "name")
    return {str(pk): name for pk, name in found if name}


def _hours(seconds: int) -> float:
    return float(round(Decimal(seconds) / 3600, 3))
