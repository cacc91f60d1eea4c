"""A tenant's month: counted from the ledger while it is open, kept word for word once it is closed."""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Sum
from django.utils import timezone

from clusterops.usage.ledger import (
    CENT,
    UNITS,
    BillingPeriod,
    LedgerEntry,
    Statement,
    as_json,
    bounds,
    closes_at,
    period_of,
)
from clusterops.usage.posting import BATCH, lock, post_runs
from tenants.models import Tenant
from tenants.plans import billing_today

COLUMNS = ("item", "label", "entries", "counted", "counted_unit", "quantity", "unit", "price", "amount")


class TooEarly(Exception):
    """The month has not ended, or not for long enough."""


class Unposted(Exception):
    """More ended than was posted by now."""


def content(tenant_name: str, period: str, tenant: Tenant | None = None) -> dict[str, Any]:
    """As the ledger has it now. A line for each item and price. `tenant`: without an erased one's of its name."""
    first, end = bounds(period)
    entries = LedgerEntry.objects.filter(tenant_name=tenant_name, period=period)
    rows = (
        (entries.filter(tenant=tenant) if tenant else entries)
        .order_by()
        .values("item", "price")
        .annotate(entries=Count("pk"), counted=Sum("quantity"), sum=Sum("amount"))
        .order_by("item", F("price").asc(nulls_first=True))
    )
    lines, total = [], Decimal(0)
    for row in rows:
        unit = UNITS[row["item"]]
        total += row["sum"] or 0
        lines.append(
            {
                "item": row["item"],
                "label": unit.label,
                "entries": row["entries"],
                "counted": str(row["counted"]),
                "counted_unit": unit.counted,
                "quantity": unit.shown(row["counted"]),
                "unit": unit.priced,
                "price": as_json(row["price"]),
                "amount": as_json(row["sum"]),
            }
        )
    return {
        "tenant_id": tenant_name,
        "period": period,
        "from": first.isoformat(),
        "to": end.isoformat(),
        "time_zone": settings.BILLING_TIME_ZONE,
        "currency": settings.BILLING_CURRENCY,
        "lines": lines,
        "total": as_json(total, CENT),
    }


def statement(tenant_name: str, period: str, tenant: Tenant | None = None) -> dict[str, Any]:
    """The content with `closed`, `closed_at` and `sha256`; of a month that is open, as it stands."""
    found = Statement.objects.filter(tenant_name=tenant_name, period=period)
    kept = (found.filter(tenant=tenant) if tenant else found).first()
    if kept:
        told: dict[str, Any] = json.loads(kept.body)
        return told | {"closed": True, "closed_at": kept.closed_at, "sha256": kept.sha256}
    closed = BillingPeriod.objects.filter(pk=period).first()
    told = content(tenant_name, period, tenant)
    return told | {"closed": closed is not None, "closed_at": closed and closed.closed_at, "sha256": None}


def close(period: str, *, now: datetime | None = None) -> int:
    """Write the month's statements; how many were written. Closing again writes none. Raises TooEarly, Unposted."""
    now = now or timezone.now()
    if now < closes_at(period):
        raise TooEarly(
            f"{period} closes on {closes_at(period):%Y-%m-%d %H:%M} UTC, when its last runs have been noted."
        )
    for _ in range(1000):
        if post_runs() < BATCH:
            break
    else:
        raise Unposted("Runs end faster than they are posted; try again later.")
    with transaction.atomic():
        lock()
        if BillingPeriod.objects.filter(pk=period).exists():
            return 0
        entries = LedgerEntry.objects.filter(period=period).order_by()
        tenants = dict(entries.values_list("tenant_name", "tenant_id").distinct())
        made = [_statement(name, tenant_id, period, now) for name, tenant_id in sorted(tenants.items())]
        Statement.objects.bulk_create(made, batch_size=BATCH)
        BillingPeriod.objects.create(period=period, closed_at=now)
    return len(made)


def _statement(name: str, tenant_id: str | None, period: str, now: datetime) -> Statement:
    told = content(name, period)
    body = json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return Statement(
        tenant_id=tenant_id,
        tenant_name=name,
        period=period,
        currency=told["currency"],
        total=Decimal(told["total"]),
        body=body,
        sha256=hashlib.sha256(body.encode()).hexdigest(),
        closed_at=now,
    )


def close_due(now: datetime | None = None) -> list[str]:
    """Every month that can be closed, the oldest first; those that were."""
    now = now or timezone.now()
    closed = []
    for period in _open_periods():
        if now >= closes_at(period):
            close(period, now=now)
            closed.append(period)
    return closed


def _open_periods() -> Iterator[str]:
    """From the first entry's to this month's, those aside that are closed, in whatever order that was."""
    closed = set(BillingPeriod.objects.values_list("period", flat=True))
    period = LedgerEntry.objects.order_by("period").values_list("period", flat=True).first()
    present = period_of(billing_today())
    while period and period <= present:
        if period not in closed:
            yield period
        period = period_of(bounds(period)[1])
