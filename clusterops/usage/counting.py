"""How much ran in a period. A run counts on the day on which it ended, whole: so days add up to months."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, DurationField, ExpressionWrapper, F, Q, QuerySet, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import TruncDate

from clusterops.usage.models import PodRun, PodRunQuerySet

STUDY_LABEL = "study.id"  # on every run of a study
MAX_GROUPS = 1000
GROUPINGS = ("day", "label", "scenario", "study", "job", "ending", "tenant")
HOUR = Decimal(3600)
PLACES = Decimal("0.0001")


def billing_zone() -> ZoneInfo:
    """Where the days and months of usage and bills begin."""
    return ZoneInfo(settings.BILLING_TIME_ZONE)


@dataclass(frozen=True)
class Period:
    """Whole days of the billing time zone; `until` is not part of it."""

    since: date
    until: date

    @classmethod
    def month(cls, year: int, month: int) -> "Period":
        first = date(year, month, 1)
        return cls(first, (first + timedelta(days=31)).replace(day=1))

    @classmethod
    def this_month(cls) -> "Period":
        today = datetime.now(billing_zone()).date()
        return cls.month(today.year, today.month)

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """Its first moment and the first after it; a day of the clock's change has 23 or 25 hours."""
        zone = billing_zone()
        return datetime.combine(self.since, time(), zone), datetime.combine(self.until, time(), zone)

    def runs(self) -> PodRunQuerySet:
        first, end = self.moments
        return PodRun.objects.ended().filter(ended_at__gte=first, ended_at__lt=end)


@dataclass(frozen=True)
class Sums:
    """Of some runs: how many, and seconds, CPU-seconds and GiB-seconds asked for while they ran."""

    runs: int = 0
    seconds: int = 0
    cpu_seconds: int = 0
    gib_seconds: int = 0

    @property
    def shown(self) -> dict[str, Any]:
        """Seconds are exact; hours are for reading, to the fourth place."""
        return {
            "runs": self.runs,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "gib_seconds": self.gib_seconds,
            "cpu_hours": hours(self.cpu_seconds),
            "gib_hours": hours(self.gib_seconds),
        }


@dataclass(frozen=True)
class Counted:
    """All runs of a group and those of them that are billed."""

    name: str
    all: Sums = field(default_factory=Sums)
    billable: Sums = field(default_factory=Sums)

    @property
    def shown(self) -> dict[str, Any]:
        return {"all": self.all.shown, "billable": self.billable.shown}


def hours(seconds: int) -> str:
    """For reading."""
    return str((Decimal(seconds) / HOUR).quantize(PLACES))


LASTED: Any = ExpressionWrapper(F("ended_at") - F("started_at"), output_field=DurationField())


def product(column: str) -> Any:
    """The column times how long it ran, as a duration."""
    return ExpressionWrapper((F("ended_at") - F("started_at")) * F(column), output_field=DurationField())


def _sums() -> dict[str, Any]:
    billed = Q(billable=True)
    items = {"seconds": LASTED, "cpu_seconds": product("cpu"), "gib_seconds": product("memory_gi")}
    found: dict[str, Any] = {"all_runs": Count("pk"), "billable_runs": Count("pk", filter=billed)}
    for name, value in items.items():
        found |= {f"all_{name}": Sum(value), f"billable_{name}": Sum(value, filter=billed)}
    return found


def _counted(name: str, row: Mapping[str, Any]) -> Counted:
    def sums(which: str) -> Sums:
        seconds = {
            item: int((row[f"{which}_{item}"] or timedelta()) / timedelta(seconds=1))
            for item in ("seconds", "cpu_seconds", "gib_seconds")
        }
        return Sums(row[f"{which}_runs"], **seconds)

    return Counted(name, sums("all"), sums("billable"))


def total(runs: QuerySet[PodRun]) -> Counted:
    """One statement."""
    return _counted("", runs.aggregate(**_sums()))


def groups(runs: QuerySet[PodRun], by: str, *, label: str = "") -> tuple[list[Counted], bool]:
    """The runs by one of GROUPINGS: days in their order, all else by CPU-seconds, the most first.

    At most MAX_GROUPS, and whether there are more. Runs without such a label or study are in the group "".
    """
    keys: dict[str, Any] = {
        "day": TruncDate("ended_at", tzinfo=billing_zone()),
        "label": KT(f"labels__{label}"),
        "study": KT(f"labels__{STUDY_LABEL}"),
        "scenario": F("scenario_id"),
        "job": F("job_id"),
        "ending": F("ending"),
        "tenant": F("tenant_name"),
    }
    order = ["key"] if by == "day" else [F("all_cpu_seconds").desc(), "key"]
    rows = list(
        runs.annotate(key=keys[by]).order_by().values("key").annotate(**_sums()).order_by(*order)[: MAX_GROUPS + 1]
    )
    return [_counted(str(row["key"] or ""), row) for row in rows[:MAX_GROUPS]], len(rows) > MAX_GROUPS
