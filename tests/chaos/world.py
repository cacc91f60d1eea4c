"""Tenants, scenarios and submissions of the harness: rows made as the product makes them. Needs Django set up."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from django.db import connections

from simulations.models import Job, Scenario
from simulations.services import submit_job
from tenants.models import ApiKey, Tenant
from tests.chaos.fates import Fate, fate_of, scenario_ids

CONFIG = "run.sumocfg"


@dataclass
class Told:
    """What the harness did to a job, and so what may have become of it."""

    job_id: uuid.UUID
    fate: Fate
    cancelled: bool = False
    deleted: bool = False  # its Kubernetes Job, by another hand
    disrupted: set[str] = field(default_factory=set)  # pods that were evicted or whose machine was lost

    @property
    def undisturbed(self) -> bool:
        return not (self.cancelled or self.deleted or self.disrupted)


def make_tenant(tenant_id: str, **limits: int) -> Tenant:
    return Tenant.objects.create(tenant_id=tenant_id, namespace=tenant_id, **limits)


def issue_key(tenant: Tenant) -> str:
    return ApiKey.objects.issue(tenant=tenant)[1]


def make_scenarios() -> None:
    """One shared scenario per fate; their files are never opened, as no SUMO runs."""
    report = {"problems": [], "begin": 0, "end": 100}
    Scenario.objects.bulk_create(
        Scenario(
            tenant=None,
            scenario_id=name,
            version=1,
            sha256=f"{number:064x}",
            file=f"scenarios/{number:064x}.zip",
            size_bytes=1,
            config=CONFIG,
            inspection={"config": CONFIG, "configs": {CONFIG: report}},
        )
        for number, name in enumerate(scenario_ids())
    )


def wanted(scenario_id: str, **more: Any) -> dict[str, Any]:
    """A validated POST /jobs with its defaults."""
    nothing = dict.fromkeys(
        ("scenario_version", "config", "seed", "begin", "end", "step_length", "scale", "time_limit_s")
    )
    plain = {"cpu_request": 1, "memory_gi": 1, "options": {}, "outputs": [], "emissions": False, "priority": 0}
    return {"scenario_id": scenario_id, **nothing, **plain, "labels": {}, **more}


def submit(tenant: Tenant, scenario_id: str, **more: Any) -> Told:
    job, _ = submit_job(tenant=tenant, wanted=wanted(scenario_id, **more))
    return Told(job.job_id, fate_of(scenario_id))


def forget_connections() -> None:
    """Of this process, after PostgreSQL was killed."""
    connections["default"].close()
    connections["default"].close_pool()  # type: ignore[attr-defined]


def active() -> int:
    return Job.objects.active().count()


def unreleased() -> int:
    return Job.objects.filter(finished_at__isnull=False, dispatched_at__isnull=False, released_at=None).count()
