"""What ended and what is kept becomes ledger entries: once each, in batches, however often it is tried."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import F

from clusterops.usage.entries import BATCH, CurrencyChanged, Months, Told, each_behind_its_wall, entry, lock
from clusterops.usage.ledger import LedgerEntry, PartPostedRun, UnpostedRun, period_of
from clusterops.usage.models import PodRun
from clusterops.usage.parts import parts_of, taken_back
from clusterops.usage.pricing import PriceBook
from simulations.models import TenantStorage
from tenants.plans import Item, billing_today

__all__ = ["BATCH", "CurrencyChanged", "post_all", "post_runs", "post_storage"]


def post_all(batches: int = 20, *, left_out: Collection[int] = (), tell: Told | None = None) -> bool:
    """Whether all that had ended is posted, after so many batches at most; `left_out` aside, and what cannot be posted,
    which is told."""
    failed = set(left_out)

    def fails(run_id: int, problem: str) -> None:
        failed.add(run_id)
        if tell:
            tell(run_id, problem)

    return any(post_runs(left_out=failed, tell=fails) < BATCH for _ in range(batches))


@transaction.atomic
def post_runs(*, left_out: Collection[int] = (), tell: Told | None = None) -> int:
    """Post BATCH of the runs that ended and are not in the ledger; how many were tried."""
    lock()
    queue = UnpostedRun.objects.exclude(run_id__in=left_out) if left_out else UnpostedRun.objects.all()
    waiting = list(queue.order_by("run_id").values_list("run_id", flat=True)[:BATCH])
    if waiting:
        runs = list(PodRun.objects.ended().filter(pk__in=waiting).order_by("pk"))
        UnpostedRun.objects.filter(pk__in=set(waiting) - {run.pk for run in runs}).delete()
        each_behind_its_wall(runs, partial(_post, months=Months()), tell or (lambda run_id, problem: None))
    return len(waiting)


def _post(runs: Sequence[PodRun], *, months: Months) -> None:
    zone, parts = ZoneInfo(settings.BILLING_TIME_ZONE), parts_of(runs)
    book = PriceBook(run.tenant_id for run in runs if run.tenant_id)
    entries: list[LedgerEntry] = []
    for run in runs:
        part, since = parts.get(run.pk), run.started_at
        if part is not None:
            back = taken_back(run, part, months)
            entries += back
            since = run.started_at if back else part.until
        if not run.billable:
            continue
        day = _ended(run).astimezone(zone).date()
        seconds = int((_ended(run) - since).total_seconds())
        for item, quantity in (
            (Item.CPU_HOUR, run.cpu * seconds),
            (Item.GIB_HOUR, run.memory_gi * seconds),
            (Item.RUN, 1),
        ):
            price = book.price(run.tenant_id or "", item, day)
            row = entry(run.tenant_id, run.tenant_name, f"run:{run.pk}", item, quantity, price, day)
            row.period, row.job_id, row.generation = months.period(day), run.job_id, run.generation
            entries.append(row)
    LedgerEntry.objects.bulk_create(entries, ignore_conflicts=True)
    done = [run.pk for run in runs]
    PartPostedRun.objects.filter(pk__in=done).delete()
    UnpostedRun.objects.filter(pk__in=done).delete()


@transaction.atomic
def post_storage() -> int:
    """What each tenant keeps, once a day: as of the day's first look. A day without a look is charged to nobody."""
    lock()
    day = billing_today()
    source = f"storage:{day}"
    kept = TenantStorage.objects.annotate(kept=F("result_bytes") + F("scenario_bytes")).filter(kept__gt=0)
    done = LedgerEntry.objects.filter(period=period_of(day), source=source, generation=0).values("tenant_name")
    rows = list(kept.exclude(tenant__in=done).values_list("tenant_id", "kept"))
    book = PriceBook(tenant for tenant, _ in rows)
    item = Item.STORAGE_GIB_DAY
    entries = [entry(tenant, tenant, source, item, size, book.price(tenant, item, day), day) for tenant, size in rows]
    LedgerEntry.objects.bulk_create(entries, ignore_conflicts=True, batch_size=BATCH)
    return len(entries)


def _ended(run: PodRun) -> datetime:
    if run.ended_at is None:
        raise ValueError(f"{run} has not ended")
    return run.ended_at
