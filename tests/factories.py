"""Rows for tests."""

import uuid

import factory

from simulations.models import Job, Scenario
from tenants.models import ApiKey, Tenant


class TenantFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Tenant

    tenant_id = factory.Sequence(lambda n: f"city-{n}")
    namespace = factory.SelfAttribute("tenant_id")


class ScenarioFactory(factory.django.DjangoModelFactory):
    """A row only; its file does not exist. Tests that run scenarios upload them."""

    class Meta:
        model = Scenario

    tenant = factory.SubFactory(TenantFactory)
    scenario_id = factory.Sequence(lambda n: f"scenario-{n}")
    version = 1
    sha256 = factory.Sequence(lambda n: f"{n:064x}")
    file = factory.LazyAttribute(lambda row: f"scenarios/{row.sha256}.zip")
    size_bytes = 1000
    config = "run.sumocfg"


class JobFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Job

    job_id = factory.LazyFunction(uuid.uuid4)
    tenant = factory.SubFactory(TenantFactory)
    scenario = factory.SubFactory(ScenarioFactory, tenant=factory.SelfAttribute("..tenant"))
    k8s_namespace = factory.SelfAttribute("tenant.namespace")
    k8s_job_name = factory.LazyAttribute(lambda row: f"sim-{row.job_id.hex}")
    scenario_data = factory.LazyAttribute(
        lambda row: {
            "scenario_id": row.scenario.scenario_id,
            "scenario_version": row.scenario.version,
            "sha256": row.scenario.sha256,
            "seed": 1,
            "time_limit_s": 600,
        }
    )


def issue_key(tenant: Tenant | None) -> str:
    """A fresh API key in clear text; `None` makes an admin's."""
    return ApiKey.objects.issue(tenant=tenant)[1]


# What staff's page of a tenant sends when nothing was changed.
TENANT_FORM = {
    "max_cpu": 10,
    "max_memory_gi": 20,
    "max_concurrent_jobs": 2,
    "max_queued_jobs": 100,
    "weight": 1,
    "max_priority_class": "normal",
    "is_active": "on",
}
