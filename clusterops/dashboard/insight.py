"""What a tenant's limits did to it in a week: use, waits, refusals, and which limit would have helped."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean, median
from typing import Any

from django.db.models import Sum
from django.utils import timezone
from django.utils.text import capfirst

from clusterops.policy.limit_use import Held, LimitUse, uses
from clusterops.policy.replay import Advice, Bounds, Past, advise, percentile
from simulations.models import Job, Refusal
from simulations.services.refusals import CODES
from tenants.limits import field_of
from tenants.models import Tenant

SPAN = timedelta(days=7)
JOBS = 2000  # the newest of these days are looked at
LIMITS = ("max_concurrent_jobs", "max_cpu", "max_memory_gi")  # in the order of `limit_use` and `replay`
UNITS = ("jobs at a time", "CPUs", "Gi of memory")
COLUMNS = (
    "submitted_at", "dispatched_at", "started_at", "finished_at", "cpu_request", "memory_gi", "priority_class",
    "priority", "status",
)  # fmt: skip
USUAL_RUN_S = 600.0  # of a tenant whose jobs have not ended yet


@dataclass(frozen=True)
class Row:
    """A limit and its use; in the way: somebody found no room for a noticeable part of the time."""

    title: str
    use: LimitUse

    @property
    def full_percent(self) -> str:
        share = 100 * self.use.full_share
        return "< 1" if 0 < share < 1 else f"{share:.0f}"


@dataclass(frozen=True)
class Proposal:
    """Limits to set, and what they would have changed."""

    limits: dict[str, int]
    words: str
    advice: Advice


def insight(tenant: Tenant) -> dict[str, Any]:
    """Two queries."""
    now = timezone.now()
    begins = now - SPAN
    jobs = list(
        Job.objects.filter(tenant=tenant, submitted_at__gt=begins).order_by("-submitted_at").values(*COLUMNS)[:JOBS]
    )
    if len(jobs) == JOBS:
        begins = jobs[-1]["submitted_at"]  # what was before is not known
    limits = (tenant.max_concurrent_jobs, tenant.max_cpu, tenant.max_memory_gi)
    rows = uses(_held(jobs, now), limits, begins.timestamp(), now.timestamp())
    waited = [
        ((job["started_at"] or now) - job["submitted_at"]).total_seconds() for job in jobs if _counts_as_wait(job)
    ]
    advice = advise(_past(jobs, now), Bounds(*limits))
    refused = Refusal.objects.filter(tenant=tenant, day__gt=(now - SPAN).date()).values_list("code")
    return {
        "rows": [Row(capfirst(field_of(name).verbose_name), use) for name, use in zip(LIMITS, rows, strict=True)],
        "jobs": len(jobs),
        "since": begins,
        "is_cut": len(jobs) == JOBS,
        "median_s": median(waited) if waited else None,
        "p95_s": percentile(waited, 0.95) if waited else None,
        "refusals": [(CODES.get(code, code), count) for code, count in refused.annotate(Sum("count")).order_by("code")],
        "proposal": _proposal(tenant, advice) if advice else None,
    }


def _counts_as_wait(job: dict[str, Any]) -> bool:
    """Not of one that was cancelled, or failed, without a start."""
    return job["started_at"] is not None or job["status"] == Job.Status.PENDING


def _held(jobs: Sequence[dict[str, Any]], now: datetime) -> list[Held]:
    return [
        Held(
            job["dispatched_at"].timestamp(),
            max(job["dispatched_at"], job["finished_at"] or now).timestamp(),
            job["cpu_request"],
            job["memory_gi"],
        )
        for job in jobs
        if job["dispatched_at"]
    ]


def _past(jobs: Sequence[dict[str, Any]], now: datetime) -> list[Past]:
    """Those that had a turn or still wait for it; of one that has not ended, as long as usual."""
    spans = [
        (job["finished_at"] - job["dispatched_at"]).total_seconds()
        for job in jobs
        if job["finished_at"] and job["dispatched_at"]
    ]
    usual = fmean(spans) if spans else USUAL_RUN_S
    past = []
    for job in jobs:
        begun, ended = job["dispatched_at"], job["finished_at"]
        if begun is None and ended:
            continue
        held = (ended - begun).total_seconds() if begun and ended else usual
        if begun and not ended:
            held = max(usual, (now - begun).total_seconds())
        rank = (job["priority_class"], job["priority"])
        past.append(Past(job["submitted_at"].timestamp(), held, job["cpu_request"], job["memory_gi"], rank))
    return past


def _proposal(tenant: Tenant, advice: Advice) -> Proposal:
    found = zip(LIMITS, UNITS, (advice.bounds.slots, advice.bounds.cpu, advice.bounds.memory_gi), strict=True)
    raised = [(name, unit, new) for name, unit, new in found if new != getattr(tenant, name)]
    words = ", ".join(f"{new} {unit} instead of {getattr(tenant, name)}" for name, unit, new in raised)
    return Proposal({name: new for name, _, new in raised}, words, advice)
