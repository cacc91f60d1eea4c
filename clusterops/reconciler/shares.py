"""What each tenant has used lately: reckoned in each pass for what ran since the last one, whatever the history."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta

from django.conf import settings

from clusterops.models import FairShare
from clusterops.policy.fair_share import Claim, Resources, charged, decayed, held_by, used_shares
from clusterops.reconciler.pass_state import Pass
from simulations.models import Job
from tenants.models import Tenant


def half_life() -> timedelta:
    return timedelta(days=settings.FAIR_SHARE_HALF_LIFE)


def charge(this_pass: Pass) -> None:
    """Two queries, after the jobs were settled: what ended in this pass counts to its end.

    Of the tenants whose home is here. What guests still use is not charged: one process reckons a tenant's use.
    """
    rows = FairShare.objects.filter(tenant__cluster=this_pass.cluster.pk) if this_pass.others else FairShare.objects
    this_pass.shares = rows.in_bulk()
    used: dict[str, Resources] = defaultdict(Resources)
    ended, this_pass.memory.ended = this_pass.memory.ended, []
    for job in (*this_pass.jobs, *ended):
        if job.tenant_id in this_pass.guests:
            continue
        row = this_pass.shares.get(job.tenant_id)
        used[job.tenant_id] += charged(job, row.at if row else None, this_pass.now)
    changed = []
    for tenant_id, use in used.items():
        if use != Resources():
            row = this_pass.shares.setdefault(tenant_id, FairShare(tenant_id=tenant_id, at=this_pass.now))
            before = _used(row, this_pass)
            row.cpu_s, row.memory_gi_s, row.at = before.cpu + use.cpu, before.memory_gi + use.memory_gi, this_pass.now
            changed.append(row)
    _write(changed, "cpu_s", "memory_gi_s", "at")


def claims(
    this_pass: Pass, tenants: Mapping[str, Tenant], started: Mapping[str, list[Job]], whole: Resources
) -> dict[str, Claim]:
    """The tenants' places among each other; `whole`: the cluster's size."""
    used = {tenant_id: _used(row, this_pass) for tenant_id, row in this_pass.shares.items()}
    shares = used_shares(used, whole)
    found = {}
    for tenant_id, tenant in tenants.items():
        claim = Claim(tenant.weight, used.get(tenant_id, Resources()), held_by(started.get(tenant_id, ())))
        if shares:
            claim.used_share = shares.get(tenant_id, 0.0)
        if (row := this_pass.shares.get(tenant_id)) and row.overtaken_since:
            claim.overtaken_job, claim.overtaken_for = row.overtaken_job, this_pass.now - row.overtaken_since
        found[tenant_id] = claim
    return found


def note_overtaken(this_pass: Pass, jobs: Iterable[Job]) -> None:
    """Since when each, the first of its tenant, has found no room: see `fair_share.RESERVES_AFTER`."""
    changed = []
    for job in jobs:
        if job.tenant_id in this_pass.guests:
            continue
        row = this_pass.shares.setdefault(job.tenant_id, FairShare(tenant_id=job.tenant_id, at=this_pass.now))
        if row.overtaken_job != job.pk:
            row.overtaken_job, row.overtaken_since = job.pk, this_pass.now
            changed.append(row)
    _write(changed, "overtaken_job", "overtaken_since")


def _write(rows: list[FairShare], *columns: str) -> None:
    if rows:
        FairShare.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["tenant"], update_fields=list(columns)
        )


def _used(row: FairShare, this_pass: Pass) -> Resources:
    return decayed(Resources(row.cpu_s, row.memory_gi_s), this_pass.now - row.at, half_life())
