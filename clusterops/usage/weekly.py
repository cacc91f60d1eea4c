"""Each Monday a tenant that ran something is told of its week: once, however often it is tried."""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, Sum
from django.utils import timezone

from clusterops.usage.counting import Period, billing_zone, hours, product
from clusterops.usage.ledger import LedgerTotal, period_of
from simulations.models import Job, Notice
from tenants.models import Tenant

NAMES = uuid.UUID("5d1f0c2e-9a53-4d0b-8a44-6a0f4b1c7e21")
BEGINS, ENDS = timedelta(hours=4), timedelta(days=2)  # after the week's end; what is older is mailed no more
REASONS = 3  # named
MAX_ROWS = 50_000
BATCH = 500


def tell_weeks(now: datetime | None = None) -> int:
    """Write the notices of the last whole week, if it is time; how many there are of it."""
    local = (now or timezone.now()).astimezone(billing_zone())
    monday = local.date() - timedelta(days=local.weekday())
    week = Period(monday - timedelta(days=7), monday)
    if not BEGINS <= local - week.moments[1] < ENDS:
        return 0
    found = _weeks(week)
    tenants = Tenant.objects.filter(pk__in=found, is_active=True).values_list("pk", flat=True)
    month = period_of(monday - timedelta(days=1))
    spent = dict(
        LedgerTotal.objects.filter(period=month, tenant_name__in=found, generation=0).values_list(
            "tenant_name", "amount"
        )
    )
    notices = [
        Notice(
            notice_id=uuid.uuid5(NAMES, f"{tenant} {monday}"),
            tenant_id=tenant,
            kind=Notice.Kind.USAGE_WEEKLY,
            data={"from": week.since.isoformat(), "to": week.until.isoformat(), **found[tenant]}
            | {"month": month, "amount": f"{spent.get(tenant, Decimal(0)):.2f}", "currency": settings.BILLING_CURRENCY},
            awaits_mail=settings.MAIL_WEEKLY,
        )
        for tenant in tenants
    ]
    Notice.objects.bulk_create(notices, ignore_conflicts=True, batch_size=BATCH)
    return len(notices)


def _weeks(week: Period) -> dict[str, dict[str, Any]]:
    """By tenant: runs, how many of them did not do what was asked for and why, and what they took."""
    rows: Iterable[Any] = (
        week.runs()
        .filter(tenant__isnull=False)
        .order_by()
        .values("tenant", "ending")
        .annotate(runs=Count("pk"), cpu=Sum(product("cpu")), gib=Sum(product("memory_gi")))
        .order_by("tenant", "-runs", "ending")[:MAX_ROWS]
    )
    by_tenant: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_tenant[row["tenant"]].append({**row})
    return {tenant: _week(own) for tenant, own in by_tenant.items()}


def _week(rows: list[dict[str, Any]]) -> dict[str, Any]:
    good = {Job.Reason.COMPLETED, Job.Reason.CANCELLED}
    failed = [row for row in rows if row["ending"] not in good]
    took = {
        f"{name}_hours": hours(int(sum((row[name] for row in rows), timedelta()).total_seconds()))
        for name in ("cpu", "gib")
    }
    return {
        "runs": sum(row["runs"] for row in rows),
        "failed": sum(row["runs"] for row in failed),
        "reasons": {row["ending"]: row["runs"] for row in failed[:REASONS]},
        **took,
    }
