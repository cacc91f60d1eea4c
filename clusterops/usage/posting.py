"""What ended and what is kept becomes ledger entries: once each, in batches, however often it is tried."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from clusterops.usage.ledger import BillingPeriod, LedgerEntry, UnpostedRun, amount_of, bounds, period_of
from clusterops.usage.models import PodRun
from clusterops.usage.pricing import PriceBook
from simulations.models import TenantStorage
from tenants.plans import Item, billing_today

BATCH = 500
LOCK = 7_310_001


class CurrencyChanged(Exception):
    """The ledger is in another currency than the setting says: amounts of both would be summed."""


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


@transaction.atomic
def post_runs() -> int:
    """Post BATCH of the billable runs that are not in the ledger; how many."""
    lock()
    waiting = list(UnpostedRun.objects.order_by("run_id").values_list("run_id", flat=True)[:BATCH])
    if not waiting:
        return 0
    runs = list(PodRun.objects.filter(pk__in=waiting, billable=True).order_by("pk"))
    zone, months = ZoneInfo(settings.BILLING_TIME_ZONE), Months()
    book = PriceBook(run.tenant_id for run in runs if run.tenant_id)
    entries = []
    for run in runs:
        day = _ended(run).astimezone(zone).date()
        seconds = int((_ended(run) - run.started_at).total_seconds())
        for item, quantity in (
            (Item.CPU_HOUR, run.cpu * seconds),
            (Item.GIB_HOUR, run.memory_gi * seconds),
            (Item.RUN, 1),
        ):
            price = book.price(run.tenant_id or "", item, day)
            entry = _entry(run.tenant_id, run.tenant_name, f"run:{run.pk}", item, quantity, price, day)
            entry.period, entry.job_id = months.period(day), run.job_id
            entries.append(entry)
    LedgerEntry.objects.bulk_create(entries, ignore_conflicts=True)
    UnpostedRun.objects.filter(pk__in=waiting).delete()
    return len(waiting)


@transaction.atomic
def post_storage() -> int:
    """What each tenant keeps, once a day: as of the day's first look. A day without a look is charged to nobody."""
    lock()
    day = billing_today()
    source = f"storage:{day}"
    kept = TenantStorage.objects.annotate(kept=F("result_bytes") + F("scenario_bytes")).filter(kept__gt=0)
    done = LedgerEntry.objects.filter(period=period_of(day), source=source).values("tenant_name")
    rows = list(kept.exclude(tenant__in=done).values_list("tenant_id", "kept"))
    book = PriceBook(tenant for tenant, _ in rows)
    item = Item.STORAGE_GIB_DAY
    entries = [_entry(tenant, tenant, source, item, size, book.price(tenant, item, day), day) for tenant, size in rows]
    LedgerEntry.objects.bulk_create(entries, ignore_conflicts=True, batch_size=BATCH)
    return len(entries)


def _ended(run: PodRun) -> datetime:
    if run.ended_at is None:
        raise ValueError(f"{run} has not ended")
    return run.ended_at


def _entry(
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


def post_all(batches: int = 20) -> bool:
    """Whether all that had ended is posted, after so many batches at most."""
    return any(post_runs() < BATCH for _ in range(batches))
