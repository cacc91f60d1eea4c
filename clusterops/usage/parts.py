"""What runs for longer than a day is charged day by day, and taken back if its end turns out not to be billed."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from clusterops.usage.entries import BATCH, Months, Told, each_behind_its_wall, entry, lock, reversal
from clusterops.usage.ledger import LedgerEntry, PartPostedRun
from clusterops.usage.models import PodRun
from clusterops.usage.pricing import PriceBook
from simulations.models import Job
from tenants.plans import Item

LONG = timedelta(days=1)
ACTOR = "SUMO-K8"
TOO_MUCH = "It had ended before the end of a day that was charged."


@transaction.atomic
def post_days(tell: Told, now: datetime | None = None) -> int:
    """The days that are over of BATCH of the runs that last for more than one; of how many runs. Only as far as they
    were seen to run."""
    lock()
    now = now or timezone.now()
    midnight = _midnight(now.astimezone(ZoneInfo(settings.BILLING_TIME_ZONE)).date())
    seen = Job.objects.filter(
        pk=OuterRef("job_id"), attempt=OuterRef("attempt"), status=Job.Status.RUNNING, observed_at__gte=midnight
    )
    posted = PartPostedRun.objects.filter(run_id=OuterRef("pk"), until__gte=midnight)
    open_runs = PodRun.objects.open().filter(ended_at=None, started_at__lte=now - LONG)
    wanted = open_runs.filter(Exists(seen), ~Exists(posted), started_at__lt=midnight).order_by("pk")
    # None of them ends meanwhile: its end would not know of the days.
    runs = list(wanted.select_for_update(of=("self",), no_key=True)[:BATCH])
    if runs:
        each_behind_its_wall(runs, lambda some: _post(some, midnight), tell)
    return len(runs)


def _post(runs: Sequence[PodRun], midnight: datetime) -> None:
    parts, book, months = parts_of(runs), PriceBook(run.tenant_id for run in runs if run.tenant_id), Months()
    entries, made = [], []
    for run in runs:
        since = parts[run.pk].until if run.pk in parts else run.started_at
        for day, seconds in _days(since, midnight):
            for item, quantity in ((Item.CPU_HOUR, run.cpu * seconds), (Item.GIB_HOUR, run.memory_gi * seconds)):
                price = book.price(run.tenant_id or "", item, day)
                row = entry(run.tenant_id, run.tenant_name, _source(run, day), item, quantity, price, day)
                row.period, row.job_id, row.generation = months.period(day), run.job_id, run.generation
                entries.append(row)
        made.append(PartPostedRun(run_id=run.pk, job_id=run.job_id, since=run.started_at, until=midnight))
    LedgerEntry.objects.bulk_create(entries)
    PartPostedRun.objects.bulk_create(made, update_conflicts=True, unique_fields=["run_id"], update_fields=["until"])


def parts_of(runs: Sequence[PodRun]) -> dict[int, PartPostedRun]:
    return PartPostedRun.objects.in_bulk([run.pk for run in runs])


def taken_back(run: PodRun, part: PartPostedRun, months: Months) -> list[LedgerEntry]:
    """Reversals of the run's days, those aside that somebody has corrected, if it is not billed or ended earlier."""
    if run.billable and run.ended_at is not None and part.until <= run.ended_at:
        return []
    sources = [_source(run, day) for day, _ in _days(part.since, part.until)]
    days = LedgerEntry.objects.filter(tenant_name=run.tenant_name, source__in=sources)
    reason = TOO_MUCH if run.billable else f"{run.ending}: {run.why}"
    wrong = days.filter(corrections=None).order_by("pk")
    return [reversal(row, reason=reason, actor=ACTOR, months=months) for row in wrong]


def _source(run: PodRun, day: date) -> str:
    return f"run:{run.pk}:{day}"


def _midnight(day: date) -> datetime:
    """Where the day begins. In UTC: the difference of two moments of a zone is that of its clocks' hands."""
    return datetime.combine(day, time(), ZoneInfo(settings.BILLING_TIME_ZONE)).astimezone(UTC)


def _days(since: datetime, until: datetime) -> Iterator[tuple[date, int]]:
    """Each day between, with its seconds."""
    zone = ZoneInfo(settings.BILLING_TIME_ZONE)
    while since < until:
        day = since.astimezone(zone).date()
        end = min(until, _midnight(day + timedelta(days=1)))
        yield day, int((end - since).total_seconds())
        since = end
