"""What each tenant's month comes to, by the ledger's running sums: as quick for a year of runs as for one."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F, Q, QuerySet, Sum

from clusterops.usage.ledger import CREDIT, UNITS, LedgerLine, LedgerTotal, bounds, period_of
from tenants.plans import Item, billing_today

OFFERED = 60  # months, the newest
UNKNOWN = 1  # the generation of what was erased before generations were told apart
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ITEMS = {
    "cpu": Item.CPU_HOUR.value,
    "memory": Item.GIB_HOUR.value,
    "runs": Item.RUN.value,
    "storage": Item.STORAGE_GIB_DAY.value,
}
ORDERS = {"tenant": F("tenant_name").asc()} | {
    name: F(name).desc(nulls_last=True) for name in (*ITEMS, "credit", "cost")
}


@dataclass(frozen=True)
class Sums:
    """Of a tenant's month, or of all tenants': in hours, runs and GiB-days. Without prices there is no cost."""

    tenant_name: str = ""
    generation: int = 0
    cpu: Decimal = Decimal(0)
    memory: Decimal = Decimal(0)
    runs: Decimal = Decimal(0)
    storage: Decimal = Decimal(0)
    credit: Decimal | None = None
    cost: Decimal | None = None

    @property
    def made_at(self) -> datetime | None:
        """Of an erased tenant, if that is known."""
        return EPOCH + timedelta(microseconds=self.generation) if self.generation > UNKNOWN else None

    @classmethod
    def of(cls, row: dict[str, Any]) -> "Sums":
        known: dict[str, Any] = {name: (row[name] or Decimal(0)) / UNITS[item].per for name, item in ITEMS.items()}
        others = {name: row[name] for name in ("tenant_name", "generation", "credit", "cost") if name in row}
        return cls(**known, **others)


SUMS: dict[str, Any] = {name: Sum("quantity", filter=Q(item=item)) for name, item in ITEMS.items()} | {
    "credit": Sum("amount", filter=Q(item=CREDIT)),
    "cost": Sum("amount"),
}


def tenants_of(period: str, order: str = "cost") -> QuerySet[Any, Any]:
    """A row for each tenant of the month, for `Sums.of`; an erased one's apart from its successor's."""
    rows = LedgerLine.objects.filter(period=period).order_by().values("tenant_name", "generation")
    return rows.annotate(**SUMS).order_by(ORDERS.get(order, ORDERS["cost"]), "tenant_name", "generation")


def total_of(period: str) -> Sums:
    return Sums.of(LedgerLine.objects.filter(period=period).aggregate(**SUMS))


def months() -> list[str]:
    """That may be asked for, the newest first: from the first with an entry to the present one."""
    first = LedgerTotal.objects.order_by("period").values_list("period", flat=True).first()
    present = period_of(billing_today())
    return list(_back(present, first or present))


def _back(period: str, first: str) -> Iterator[str]:
    for _ in range(OFFERED):
        yield period
        year, month = bounds(period)[0].year, bounds(period)[0].month
        period = f"{year - (month == 1)}-{(month - 2) % 12 + 1:02}"
        if period < first:
            return
