"""A month of evidence for looking at: two plans, three tenants, runs of every kind, closed and told.

`DJANGO_SETTINGS_MODULE=sumok8.settings DATABASE_URL=… python -m tests.generated_month` fills a demo's database with it.
"""

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clusterops.usage.models import PodRun
    from tenants.models import Tenant

PLANS = {
    "standard": {"cpu_hour": "0.048", "gib_hour": "0.006", "run": "0.01", "storage_gib_day": "0.002"},
    "research": {"cpu_hour": "0.03", "gib_hour": "0.004"},
}
TENANTS = {"bern": "standard", "lausanne": "standard", "uni-basel": "research"}
ENDINGS = ["COMPLETED"] * 16 + ["CANCELLED", "SUMO_FAILED", "OUT_OF_MEMORY", "TIME_LIMIT", "NODE_LOST", "PREEMPTED"]
SCENARIOS = ["centre-2026", "ring-road", "bus-lanes"]


def make(first: date, days: int, *, runs_a_day: int = 20) -> None:
    """From that day on; months that can be closed are."""
    from clusterops.usage import posting, statements
    from clusterops.usage.budget_models import Budget
    from clusterops.usage.models import PodRun
    from tenants.models import Plan, PlanAssignment, PlanPrice, Tenant

    plans = {}
    for name, prices in PLANS.items():
        plans[name] = Plan.objects.create(name=name, description=f"The {name} plan.", max_cpu=16)
        for item, price in prices.items():
            PlanPrice.objects.create(plan=plans[name], item=item, price=Decimal(price), since=first)
    for name, plan in TENANTS.items():
        own = {"plan": plans[plan], "own_limits": ["max_queued_jobs"]}
        tenant = Tenant.objects.create(tenant_id=name, namespace=name, contact_email=f"traffic@{name}.example", **own)
        PlanAssignment.objects.create(tenant=tenant, plan=plans[plan], since=first, is_applied=True)
        Budget.objects.create(tenant=tenant, limit=100, alert_at=[50, 80], on_reach="hold")
        PodRun.objects.bulk_create(_runs(tenant, first, days, runs_a_day))
        _keep(tenant, first, days)
    for each in plans.values():
        each.hand_down()
    posting.post_all(1000)
    statements.close_due()


def _runs(tenant: "Tenant", first: date, days: int, a_day: int) -> Iterator["PodRun"]:
    from clusterops.usage.models import PodRun
    from clusterops.usage.rules import is_billable

    chance = random.Random(tenant.pk)
    for number in range(days * a_day):
        began = datetime(first.year, first.month, first.day, tzinfo=UTC) + timedelta(
            days=number // a_day, seconds=chance.randrange(20 * 3600)
        )
        ending, job_id = chance.choice(ENDINGS), uuid.UUID(int=chance.getrandbits(128))
        yield PodRun(
            job_id=job_id,
            attempt=1,
            pod_name=f"sumo-{job_id.hex[:8]}",
            node_name=f"node-{chance.randrange(1, 7)}",
            tenant=tenant,
            tenant_name=tenant.pk,
            scenario_id=chance.choice(SCENARIOS),
            labels={"team": chance.choice(["buses", "signals"])},
            cpu=chance.choice([1, 2, 2, 4, 8]),
            memory_gi=chance.choice([2, 4, 8, 16]),
            started_at=began,
            ended_at=began + timedelta(seconds=int(chance.lognormvariate(7, 1))),
            ending=ending,
            billable=is_billable(ending, end_is_estimate=False),
        )


def _keep(tenant: "Tenant", first: date, days: int) -> None:
    """Storage that grows, as each day's first look would have posted it."""
    from clusterops.usage.entries import entry
    from clusterops.usage.ledger import LedgerEntry
    from clusterops.usage.pricing import PriceBook

    item, book = "storage_gib_day", PriceBook([tenant.pk])
    LedgerEntry.objects.bulk_create(
        entry(tenant.pk, tenant.pk, f"storage:{day}", item, (40 + n) * 2**28, book.price(tenant.pk, item, day), day)
        for n, day in enumerate(first + timedelta(days=n) for n in range(days))
    )


if __name__ == "__main__":
    import django

    django.setup()
    today = datetime.now(UTC).date()
    begin = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    make(begin, (today - begin).days)
