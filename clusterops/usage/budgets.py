"""Budgets against the ledger: what is told, who is refused, and what a dispatcher may still start."""

import uuid
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.fields.json import KT

from clusterops.policy.budget import Allowance, is_held_by
from clusterops.usage.budget_models import Budget, BudgetAlert
from clusterops.usage.ledger import UNITS, LedgerTotal, PartPostedRun, period_of
from clusterops.usage.pricing import PriceBook
from simulations.models import Job, Notice
from tenants.models import Tenant
from tenants.plans import Item, billing_today

WHOLE = 100


def in_force(period: str, tenants: Iterable[str] | None = None) -> dict[str, Budget]:
    """By tenant: the month's own budget, else that of every month. One query."""
    rows = Budget.objects.filter(period__in=["", period]).select_related("tenant").order_by("period")
    if tenants is not None:
        rows = rows.filter(tenant__in=list(tenants))
    return {budget.tenant_id: budget for budget in rows}


def watch() -> int:
    """Tell, once, of each share that was reached; refuse or admit new jobs as the budgets say. How many were told."""
    period = period_of(billing_today())
    budgets = in_force(period)
    told, refused = 0, {}
    if budgets:
        totals = _totals(period, budgets)
        held = _held(period, budgets)
        known = set(
            BudgetAlert.objects.filter(period=period, budget__in=budgets.values()).values_list(
                "budget_id", "percent", "limit"
            )
        )
        for tenant_id, budget in budgets.items():
            used = budget.used_of(totals.get(tenant_id))
            stands = tenant_id in held
            for percent in sorted({*budget.alert_at, WHOLE}):
                reached = used * 100 >= budget.limit * percent or (stands and percent == WHOLE)
                if reached and (budget.pk, percent, budget.limit) not in known:
                    told += _tell(budget, period, percent, used, stands)
            if budget.on_reach == Budget.OnReach.REFUSE and (used >= budget.limit or stands):
                refused[tenant_id] = f"The budget of {period}, {budget.shown(budget.limit)}, is used up."
    _refuse(refused)
    return told


def _held(period: str, budgets: Mapping[str, Budget]) -> set[str]:
    """Tenants of which a job waits for its budget as it is now. What was said of another month or limit stands until
    the dispatcher looks at the job again, which comes after this."""
    stops = {tenant_id: budget.shown(budget.limit) for tenant_id, budget in budgets.items() if budget.stops}
    rows = Job.objects.queued().filter(tenant__in=list(stops), reason=Job.Reason.BUDGET_REACHED)
    told = rows.order_by().values_list("tenant_id", "message").distinct()
    return {tenant_id for tenant_id, message in told if is_held_by(message, period=period, limit=stops[tenant_id])}


def _tell(budget: Budget, period: str, percent: int, used: Decimal, stands: bool) -> int:
    """The notice and the note that it was written, together; 0 if another was first."""
    with transaction.atomic():
        _, is_new = BudgetAlert.objects.get_or_create(
            budget=budget, period=period, percent=percent, limit=budget.limit, defaults={"used": used}
        )
        if is_new:
            data: dict[str, Any] = {
                **{"period": period, "percent": percent, "used": f"{used:.2f}", "limit": f"{budget.limit:.2f}"},
                **{"measure": budget.measure, "on_reach": budget.on_reach, "jobs_wait": stands},
            }
            if budget.measure == Budget.Measure.AMOUNT:
                data["currency"] = settings.BILLING_CURRENCY
            Notice.objects.create(tenant=budget.tenant, kind=Notice.Kind.BUDGET_REACHED, data=data, awaits_mail=True)
    return int(is_new)


def _refuse(refused: Mapping[str, str]) -> None:
    """New jobs of these tenants, and of no others. Writes what has changed."""
    for tenant in Tenant.objects.exclude(refused_because="").exclude(pk__in=refused):
        Tenant.objects.filter(pk=tenant.pk).update(refused_because="")
    for tenant_id, because in refused.items():
        Tenant.objects.filter(pk=tenant_id).exclude(refused_because=because).update(refused_because=because)


def allowances(jobs: Mapping[str, Iterable[Job]]) -> dict[str, Allowance]:
    """For the tenants of `jobs` (started ones and those that may start) whose budget stops: one query if none has one,
    six else."""
    period = period_of(billing_today())
    budgets = {pk: budget for pk, budget in in_force(period, jobs).items() if budget.stops}
    if not budgets:
        return {}
    totals = _totals(period, budgets)
    book = PriceBook(budgets)
    costs = _costs({pk: jobs[pk] for pk in budgets}, budgets, book)
    return {
        pk: Allowance(
            period=period,
            unit=settings.BILLING_CURRENCY if budget.measure == Budget.Measure.AMOUNT else "CPU-hours",
            limit=budget.limit,
            used=budget.used_of(totals.get(pk)),
            costs=costs,
        )
        for pk, budget in budgets.items()
    }


def _totals(period: str, tenants: Iterable[str]) -> dict[str, LedgerTotal]:
    rows = LedgerTotal.objects.filter(period=period, tenant_name__in=list(tenants), generation=0)
    return {row.tenant_name: row for row in rows}


def _costs(
    jobs: Mapping[str, Iterable[Job]], budgets: Mapping[str, Budget], book: PriceBook
) -> dict[uuid.UUID, Decimal]:
    """Of each job, were it to run up to its time limit, without what it was charged already."""
    wanted = [job.pk for each in jobs.values() for job in each]
    limits = Job.objects.filter(pk__in=wanted).values_list("pk", KT("scenario_data__time_limit_s"))
    charged = PartPostedRun.objects.filter(job_id__in=wanted).values_list("job_id", "since", "until")
    used = {pk: int((until - since).total_seconds()) for pk, since, until in charged}
    seconds = {pk: max(0, int(float(text or settings.JOB_MAX_TIME_LIMIT_S)) - used.get(pk, 0)) for pk, text in limits}
    today = billing_today()
    found: dict[uuid.UUID, Decimal] = {}
    for tenant_id, each in jobs.items():
        prices = {item: book.price(tenant_id, item, today) or Decimal(0) for item in Item.values}
        for job in each:
            lasts = Decimal(seconds.get(job.pk, settings.JOB_MAX_TIME_LIMIT_S))
            if budgets[tenant_id].measure == Budget.Measure.CPU_HOURS:
                found[job.pk] = lasts * job.cpu_request / 3600
                continue
            cpu = lasts * job.cpu_request * prices[Item.CPU_HOUR] / UNITS[Item.CPU_HOUR].per
            memory = lasts * job.memory_gi * prices[Item.GIB_HOUR] / UNITS[Item.GIB_HOUR].per
            found[job.pk] = cpu + memory + prices[Item.RUN]
    return found
