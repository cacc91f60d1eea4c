"""The ledger: what is charged, row after row. Nothing in it is ever changed; a mistake is reversed by a further row."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce
from django.utils import timezone

from tenants.models import Tenant
from tenants.plans import Item

CREDIT = "credit"  # an amount without a quantity
SIXTH = Decimal("0.000001")
FOURTH = Decimal("0.0001")
CENT = Decimal("0.01")
CLOSES_AFTER = timedelta(hours=48)  # what ended late in the month has been noted by then


@dataclass(frozen=True)
class Unit:
    """What the ledger counts of an item, in whole numbers, and how many of them a price is for."""

    label: str
    counted: str
    priced: str
    per: int

    def shown(self, quantity: Decimal) -> str:
        """In units of the price, for reading."""
        return str(quantity) if self.per == 1 else str((quantity / self.per).quantize(FOURTH, ROUND_HALF_EVEN))


UNITS = {
    Item.CPU_HOUR.value: Unit("CPU time", "CPU-seconds", "CPU-hours", 3600),
    Item.GIB_HOUR.value: Unit("Memory", "GiB-seconds", "GiB-hours", 3600),
    Item.RUN.value: Unit("Runs", "runs", "runs", 1),
    Item.STORAGE_GIB_DAY.value: Unit("Storage", "byte-days", "GiB-days", 2**30),
    CREDIT: Unit("Credit or charge", "", "", 1),
}


def amount_of(item: str, quantity: Decimal | int, price: Decimal | None) -> Decimal | None:
    """To the sixth place, half to even; None without a price."""
    if price is None:
        return None
    return (Decimal(quantity) * price / UNITS[item].per).quantize(SIXTH, ROUND_HALF_EVEN)


def as_json(value: Decimal | None, places: Decimal = SIXTH) -> str | None:
    """Decimals travel as texts: no reader rounds them."""
    return None if value is None else str(value.quantize(places, ROUND_HALF_EVEN))


def generation() -> Any:
    """The column that tells tenants of one name apart; the database fills it in as a tenant is erased."""
    told = "Of an erased tenant: when it was made, in microseconds since 1970. 0: of the one that has the name."
    return models.BigIntegerField(default=0, db_default=0, help_text=told)


def period_of(day: date) -> str:
    return f"{day:%Y-%m}"


def bounds(period: str) -> tuple[date, date]:
    """The first day of `YYYY-MM` and the first after it."""
    first = date.fromisoformat(f"{period}-01")
    return first, (first + timedelta(days=31)).replace(day=1)


def closes_at(period: str) -> datetime:
    """When no more is expected for it. A month may have an hour more or less, where clocks change."""
    zone = ZoneInfo(settings.BILLING_TIME_ZONE)
    end = datetime.combine(bounds(period)[1], datetime.min.time(), zone)
    return end.astimezone(UTC) + CLOSES_AFTER


class LedgerEntry(models.Model):
    """One item of one source, posted once. The database refuses to change or delete it."""

    tenant = models.ForeignKey(
        Tenant, models.SET_NULL, null=True, related_name="ledger", db_index=False, help_text="Null: erased since."
    )
    tenant_name = models.CharField(max_length=40)
    generation = generation()
    source = models.CharField(max_length=80, help_text="What it is for, such as run:17 or storage:2026-11-03.")
    item = models.CharField(max_length=16)
    quantity = models.DecimalField(max_digits=30, decimal_places=0, help_text="Whole seconds, runs or byte-days.")
    price = models.DecimalField(max_digits=12, decimal_places=6, null=True, help_text="Null: none was agreed.")
    amount = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    currency = models.CharField(max_length=3)
    day = models.DateField(help_text="On which it ended or was kept, in the billing time zone.")
    period = models.CharField(max_length=7, help_text="In whose statement it is: its day's, or the first still open.")
    posted_at = models.DateTimeField(default=timezone.now)
    job_id = models.UUIDField(null=True)
    corrects = models.ForeignKey("self", models.PROTECT, null=True, related_name="corrections")
    reason = models.CharField(max_length=200, blank=True)
    actor = models.CharField(max_length=150, blank=True)

    objects: ClassVar = models.Manager()

    class Meta:
        db_table = "ledger_entries"
        verbose_name_plural = "ledger entries"
        ordering = ["-id"]
        indexes = [models.Index(fields=["period", "tenant_name"], name="ledger_period_tenant")]
        constraints = [
            models.UniqueConstraint(fields=["tenant_name", "source", "item", "generation"], name="ledger_once")
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.item}"


class LedgerTotal(models.Model):
    """Sums of a tenant's month, kept by a trigger of the ledger itself: budgets are compared with them."""

    tenant_name = models.CharField(max_length=40)
    generation = generation()
    period = models.CharField(max_length=7)
    amount = models.DecimalField(max_digits=24, decimal_places=6, default=0)
    cpu_seconds = models.DecimalField(max_digits=30, decimal_places=0, default=0)

    objects: ClassVar = models.Manager()

    class Meta:
        db_table = "ledger_totals"
        constraints = [
            models.UniqueConstraint(fields=["tenant_name", "period", "generation"], name="ledger_totals_unique")
        ]
        indexes = [models.Index(fields=["period", "tenant_name"], name="ledger_totals_period")]

    def __str__(self) -> str:
        return f"{self.tenant_name} {self.period}"


class LedgerLine(models.Model):
    """A line of a statement: a month's sums of one item at one price, kept by the same trigger."""

    tenant_name = models.CharField(max_length=40)
    generation = generation()
    period = models.CharField(max_length=7)
    item = models.CharField(max_length=16)
    price = models.DecimalField(max_digits=12, decimal_places=6, null=True)
    entries = models.BigIntegerField()
    quantity = models.DecimalField(max_digits=36, decimal_places=0)
    amount = models.DecimalField(max_digits=24, decimal_places=6, null=True)

    objects: ClassVar = models.Manager()

    class Meta:
        db_table = "ledger_lines"
        constraints = [
            models.UniqueConstraint(
                "period", "tenant_name", "generation", "item", Coalesce("price", -1), name="ledger_lines_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.tenant_name} {self.period} {self.item}"


class PartPostedRun(models.Model):
    """A run that has not ended and of which whole days are in the ledger."""

    run_id = models.BigIntegerField(primary_key=True)
    job_id = models.UUIDField()
    since = models.DateTimeField()
    until = models.DateTimeField()

    objects: ClassVar = models.Manager()

    class Meta:
        db_table = "part_posted_runs"

    def __str__(self) -> str:
        return f"run {self.run_id} until {self.until}"


class UnpostedRun(models.Model):
    """A run that has ended and is to be posted or taken back; a trigger of `pod_runs` writes it."""

    run_id = models.BigIntegerField(primary_key=True)

    objects: ClassVar = models.Manager()

    class Meta:
        db_table = "unposted_runs"

    def __str__(self) -> str:
        return f"run {self.run_id}"


class BillingPeriod(models.Model):
    """A month that is closed: the database takes no more entries for it."""

    period = models.CharField(max_length=7, primary_key=True)
    closed_at = models.DateTimeField(default=timezone.now)
    is_stated = models.BooleanField(default=False, help_text="All of its statements are written.")

    objects: ClassVar = models.Manager()

    class Meta:
        db_table = "billing_periods"
        ordering = ["-period"]

    def __str__(self) -> str:
        return self.period


class Statement(models.Model):
    """A tenant's closed month, word for word. The database refuses to change or delete it."""

    tenant = models.ForeignKey(
        Tenant, models.SET_NULL, null=True, related_name="statements", db_index=False, help_text="Null: erased since."
    )
    tenant_name = models.CharField(max_length=40)
    generation = generation()
    period = models.CharField(max_length=7)
    currency = models.CharField(max_length=3)
    total = models.DecimalField(max_digits=20, decimal_places=2)
    body = models.TextField(help_text="JSON with its keys in order, as it was closed.")
    sha256 = models.CharField("SHA-256", max_length=64, help_text="Of the body.")
    closed_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar = models.Manager()

    class Meta:
        db_table = "statements"
        ordering = ["-period", "tenant_name"]
        constraints = [models.UniqueConstraint(fields=["tenant", "period"], name="statements_once")]
        indexes = [models.Index(fields=["period", "tenant_name"], name="statements_period_tenant")]

    def __str__(self) -> str:
        return f"{self.tenant_name} {self.period}"
