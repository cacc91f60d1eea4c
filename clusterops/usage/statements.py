"""A tenant's month: counted from the ledger while it is open, kept word for word once it is closed."""

import hashlib
import json
from collections.abc import Collection, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from clusterops.usage.entries import BATCH, lock
from clusterops.usage.ledger import (
    CENT,
    UNITS,
    BillingPeriod,
    LedgerEntry,
    LedgerLine,
    LedgerTotal,
    Statement,
    as_json,
    bounds,
    closes_at,
    period_of,
)
from clusterops.usage.posting import post_all
from tenants.plans import billing_today

STATEMENTS = 5000  # in one look of the reconciler's
COLUMNS = ("item", "label", "entries", "counted", "counted_unit", "quantity", "unit", "price", "amount")


class TooEarly(Exception):
    """The month has not ended, or not for long enough."""


class Unposted(Exception):
    """More ended than was posted by now."""


def content(tenant_name: str, period: str, *, generation: int = 0) -> dict[str, Any]:
    """As the ledger has it now, by its running sums. A line for each item and price. `generation`: of an erased tenant
    of the name."""
    return _contents(period, [(tenant_name, generation)])[tenant_name, generation]


def _contents(period: str, wanted: Collection[tuple[str, int]]) -> dict[tuple[str, int], dict[str, Any]]:
    """Of these tenants (name, generation). One query."""
    rows = LedgerLine.objects.filter(period=period, tenant_name__in={name for name, _ in wanted})
    lines: dict[tuple[str, int], list[LedgerLine]] = {each: [] for each in wanted}
    for row in rows.order_by("item", F("price").asc(nulls_first=True)):
        lines.get((row.tenant_name, row.generation), []).append(row)
    return {(name, generation): _content(name, period, found) for (name, generation), found in lines.items()}


def _content(tenant_name: str, period: str, rows: list[LedgerLine]) -> dict[str, Any]:
    first, end = bounds(period)
    return {
        "tenant_id": tenant_name,
        "period": period,
        "from": first.isoformat(),
        "to": end.isoformat(),
        "time_zone": settings.BILLING_TIME_ZONE,
        "currency": settings.BILLING_CURRENCY,
        "lines": [
            {
                "item": row.item,
                "label": UNITS[row.item].label,
                "entries": row.entries,
                "counted": str(row.quantity),
                "counted_unit": UNITS[row.item].counted,
                "quantity": UNITS[row.item].shown(row.quantity),
                "unit": UNITS[row.item].priced,
                "price": as_json(row.price),
                "amount": as_json(row.amount),
            }
            for row in rows
        ],
        "total": as_json(sum((row.amount or Decimal(0) for row in rows), Decimal(0)), CENT),
    }


def statement(tenant_name: str, period: str) -> dict[str, Any]:
    """Of the tenant that has the name now: the content with `closed`, `closed_at` and `sha256`; of a month that is
    open, as it stands."""
    if kept := Statement.objects.filter(tenant=tenant_name, period=period).first():
        return as_closed(kept)
    closed = BillingPeriod.objects.filter(pk=period).first()
    told = content(tenant_name, period)
    return told | {"closed": closed is not None, "closed_at": closed and closed.closed_at, "sha256": None}


def as_closed(kept: Statement) -> dict[str, Any]:
    """Word for word."""
    told: dict[str, Any] = json.loads(kept.body)
    return told | {"closed": True, "closed_at": kept.closed_at, "sha256": kept.sha256}


def close(period: str, *, now: datetime | None = None) -> int:
    """Close the month and write its statements; how many were written. Closing again writes none. Raises TooEarly,
    Unposted."""
    now = now or timezone.now()
    if now < closes_at(period):
        raise TooEarly(
            f"{period} closes on {closes_at(period):%Y-%m-%d %H:%M} UTC, when its last runs have been noted."
        )
    if not post_all(1000):
        raise Unposted("Runs end faster than they are posted; try again later.")
    _close(period, now)
    written = 0
    while more := write_statements(period):
        written += more
    return written


@transaction.atomic
def _close(period: str, now: datetime) -> None:
    """From now on what is noted for it comes into a later one: its sums, and so its statements, stand."""
    lock()
    BillingPeriod.objects.get_or_create(period=period, defaults={"closed_at": now})


@transaction.atomic
def write_statements(period: str) -> int:
    """BATCH of the statements of a closed month; 0: all are written."""
    lock()
    month = BillingPeriod.objects.filter(pk=period, is_stated=False).first()
    if month is None:
        return 0
    written = Statement.objects.filter(
        period=period, tenant_name=OuterRef("tenant_name"), generation=OuterRef("generation")
    )
    waiting = LedgerTotal.objects.filter(~Exists(written), period=period).order_by("tenant_name", "generation")
    told = _contents(period, list(waiting.values_list("tenant_name", "generation")[:BATCH]))
    Statement.objects.bulk_create(_statement(each, whose, month.closed_at) for (_, whose), each in told.items())
    if not told:
        BillingPeriod.objects.filter(pk=period).update(is_stated=True)
    return len(told)


def _statement(told: dict[str, Any], generation: int, now: datetime) -> Statement:
    body = json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return Statement(
        tenant_id=None if generation else told["tenant_id"],
        tenant_name=told["tenant_id"],
        generation=generation,
        period=told["period"],
        currency=told["currency"],
        total=Decimal(told["total"]),
        body=body,
        sha256=hashlib.sha256(body.encode()).hexdigest(),
        closed_at=now,
    )


def close_due(now: datetime | None = None) -> list[str]:
    """Close every month that can be, if all that ended is posted, and write STATEMENTS of what is closed at most; the
    months that were closed, the oldest first."""
    now = now or timezone.now()
    due = [period for period in _open_periods() if now >= closes_at(period)]
    if due and not post_all():
        return []
    for period in due:
        _close(period, now)
    left = STATEMENTS
    for period in BillingPeriod.objects.filter(is_stated=False).order_by("period").values_list("pk", flat=True):
        while left > 0 and (more := write_statements(period)):
            left -= more
    return due


def _open_periods() -> Iterator[str]:
    """From the first entry's to this month's, those aside that are closed, in whatever order that was."""
    closed = set(BillingPeriod.objects.values_list("period", flat=True))
    period = LedgerEntry.objects.order_by("period").values_list("period", flat=True).first()
    present = period_of(billing_today())
    while period and period <= present:
        if period not in closed:
            yield period
        period = period_of(bounds(period)[1])
