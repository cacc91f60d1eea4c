"""Rows that the benchmarks start from. Imported after `django.setup()`."""

from simulations.models import Job, Scenario
from simulations.studies.models import Study
from tenants.models import ApiKey, Tenant

INSPECTION = {
    "config": "run.sumocfg",
    "config_candidates": ["run.sumocfg"],
    "configs": {"run.sumocfg": {"problems": [], "begin": 0.0, "end": 3600.0, "step_length": 1.0}},
}


def forget_jobs() -> None:
    Job.objects.all().delete()


def clear() -> None:
    """An empty database again."""
    Study.objects.all().delete()
    Job.objects.all().delete()
    Tenant.objects.all().delete()


def fresh_tenant(tenant_id: str = "bench") -> str:
    """An otherwise empty database with one tenant whose limits have no practical end; returns its key.

    Its scenario is `zurich_peak`.
    """
    clear()
    tenant = Tenant(
        tenant_id=tenant_id,
        max_queued_jobs=10_000_000,
        max_concurrent_jobs=10_000,
        max_cpu=10_000,
        max_memory_gi=10_000,
    )
    tenant.full_clean()
    tenant.save()
    scenario_of(tenant)
    return ApiKey.objects.issue(tenant=tenant)[1]


def scenario_of(tenant: Tenant) -> None:
    """Its `zurich_peak`, without a file."""
    Scenario.objects.create(
        tenant=tenant, scenario_id="zurich_peak", version=1, sha256="0" * 64, file="scenarios/none.zip",
        size_bytes=1, config="run.sumocfg", inspection=INSPECTION,
    )  # fmt: skip
