"""Which price was in force for whom on a day. Read once for a batch."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import TypeVar

from tenants.models import PlanAssignment, PlanPrice

Value = TypeVar("Value")


class PriceBook:
    """Of some tenants: their plans day by day, and those plans' prices."""

    def __init__(self, tenants: Iterable[str]) -> None:
        """Two queries."""
        self._plans: dict[str, list[tuple[date, int | None]]] = defaultdict(list)
        assigned = PlanAssignment.objects.filter(tenant__in=set(tenants)).order_by("since", "id")
        for tenant, since, plan in assigned.values_list("tenant_id", "since", "plan_id"):
            self._plans[tenant].append((since, plan))
        plans = {plan for each in self._plans.values() for _, plan in each if plan is not None}
        self._prices: dict[tuple[int, str], list[tuple[date, Decimal]]] = defaultdict(list)
        if plans:
            prices = PlanPrice.objects.filter(plan__in=plans).order_by("since", "id")
            for plan, item, since, price in prices.values_list("plan_id", "item", "since", "price"):
                self._prices[plan, item].append((since, price))

    def price(self, tenant: str, item: str, day: date) -> Decimal | None:
        """None: the tenant had no plan then, or the plan no such price."""
        plan = _last(self._plans.get(tenant, ()), day)
        return None if plan is None else _last(self._prices.get((plan, item), ()), day)


def _last(rows: Iterable[tuple[date, Value]], day: date) -> Value | None:
    """The value of the latest row that had begun."""
    found = None
    for since, value in rows:
        if since <= day:
            found = value
    return found
