"""Rows that the benchmarks start from. Imported after `django.setup()`."""

from simulations.models import Scenario
from tenants.models import ApiKey, Tenant

INSPECTION = {
    "config": "run.sumocfg",
    "config_candidates": ["run.sumocfg"],
    "configs": {"run.sumocfg": {"problems": [], "begin": 0.0, "end": 3600.0, "step_length": 1.0}},
}


def tenant_with_scenario(tenant_id: str = "bench") -> str:
    """A tenant whose queue has no practical end, with the scenario `zurich_peak`; returns its key."""
    tenant = Tenant(tenant_id=tenant_id, max_queued_jobs=10_000_000)
    tenant.full_clean()
    tenant.save()
    Scenario.objects.create(
        tenant=tenant, scenario_id="zurich_peak", version=1, sha256="0" * 64, file="scenarios/none.zip",
        size_bytes=1, config="run.sumocfg", inspection=INSPECTION,
    )  # fmt: skip
    return ApiKey.objects.issue(tenant=tenant)[1]
