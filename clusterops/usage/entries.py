"""How entries are made: one writer at a time, in the month that is open, and none held back by a bad one."""

import logging
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Protocol, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction

from clusterops.usage.ledger import BillingPeriod, LedgerEntry, amount_of, bounds, period_of

log = logging.getLogger("clusterops.usage")

BATCH = 500
LOCK = 7_310_001
Told = Callable[[int, str], None]  # of which row, and what is wrong with it


class CurrencyChanged(Exception):
    """The ledger is in another currency than the setting says: amounts of both would be summed."""


class Row(Protocol):
    pk: int


Of = TypeVar("Of", bound=Row)


def lock() -> None:
    """One poster or closer at a time, until the transaction ends. Raises CurrencyChanged."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    last = LedgerEntry.objects.order_by("-id").values_list("currency", flat=True).first()
    if last and last != settings.BILLING_CURRENCY:
        raise CurrencyChanged(f"The ledger is in {last}; BILLING_CURRENCY cannot become {settings.BILLING_CURRENCY}.")


class Months:
    """In which month's statement something of a day comes: its own, or the first after it that is open."""

    def __init__(self) -> None:
        self._closed: dict[str, bool] = {}

    def period(self, day: date) -> str:
        period = period_of(day)
        while self._is_closed(period):
            period = period_of(bounds(period)[1])
        return period

    def _is_closed(self, period: str) -> bool:
        if period not in self._closed:
            self._closed[period] = BillingPeriod.objects.filter(pk=period).exists()
        return self._closed[period]


def entry(
    tenant_id: str | None, name: str, source: str, item: str, quantity: int, price: Decimal | None, day: date
) -> LedgerEntry:
    return LedgerEntry(
        tenant_id=tenant_id,
        tenant_name=name,
        source=source,
        item=str(item),
        quantity=quantity,
        price=price,
        amount=amount_of(str(item), quantity, price),
        currency=settings.BILLING_CURRENCY,
        day=day,
        period=period_of(day),
    )


def in_place_of(
    wrong: LedgerEntry,
    kind: str,
    quantity: Decimal,
    amount: Decimal | None,
    *,
    reason: str,
    actor: str,
    months: Months,
) -> LedgerEntry:
    """A further row about another: of its day, in the first month that is open."""
    return LedgerEntry(
        tenant_id=wrong.tenant_id,
        tenant_name=wrong.tenant_name,
        generation=wrong.generation,
        source=f"{kind}:{wrong.pk}",
        item=wrong.item,
        quantity=quantity,
        price=wrong.price,
        amount=amount,
        currency=wrong.currency,
        day=wrong.day,
        period=months.period(wrong.day),
        job_id=wrong.job_id,
        corrects=wrong,
        reason=reason[:200],
        actor=actor[:150],
    )


def reversal(wrong: LedgerEntry, *, reason: str, actor: str, months: Months) -> LedgerEntry:
    amount = None if wrong.amount is None else -wrong.amount
    return in_place_of(wrong, "reversal", -wrong.quantity, amount, reason=reason, actor=actor, months=months)


def each_behind_its_wall(rows: Sequence[Of], post: Callable[[Sequence[Of]], None], tell: Told) -> None:
    """`post` all at once; where that fails, one by one, so that a bad one keeps no other's back."""
    try:
        with transaction.atomic():
            post(rows)
        return
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is: each is tried alone
        log.warning("a batch of %d cannot be posted whole: %s", len(rows), error)
    for row in rows:
        try:
            with transaction.atomic():
                post([row])
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            log.exception("%s cannot be posted", row)
            tell(row.pk, f"{type(error).__name__}: {error}")
