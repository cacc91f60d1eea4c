"""Machines as boxes: whose pods, what is reserved, what still fits, what it costs."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from django.test import Client
from pytest_django import Settings

from clusterops.contract import ClusterSnapshot, Phase, Run
from clusterops.dashboard.capacity import capacity
from simulations.models import Job
from tenants.models import Plan, PlanPrice
from tenants.services import assign_plan
from tests.clusterops.dashboard import seed
from tests.factories import JobFactory, TenantFactory

GI = 1024**3


def run(job: Job, node: str, phase: Phase = Phase.RUNNING, **more: object) -> Run:
    return Run(job.k8s_job_name, job.k8s_namespace, job.job_id.hex, 1, phase, node_name=node, **more)  # type: ignore[arg-type]


def cluster_of(*runs: Run) -> ClusterSnapshot:
    node = replace(
        seed.snapshot(2).nodes[1], name="a", cpu=8.0, memory=32.0 * GI, cpu_requested=6.5, memory_requested=12.2 * GI,
        cpu_of_others=0.5, memory_of_others=0.2 * GI,
    )  # fmt: skip
    return replace(seed.snapshot(0), nodes=(node, replace(node, name="b", schedulable=False)), runs=runs)


def test_a_machine_is_filled_by_tenant_and_reserved_is_hatched(db: None) -> None:
    big, small, homeless = JobFactory(cpu_request=4, memory_gi=8), JobFactory(cpu_request=2, memory_gi=4), JobFactory()
    ended, strange = JobFactory(cpu_request=1), replace(run(big, "a"), job_id="not-an-id")
    found = capacity(
        cluster_of(
            run(big, "a"), run(small, "a", Phase.WAITING), run(homeless, "", Phase.WAITING), strange,
            run(ended, "a", decided=True),
        )
    )  # fmt: skip
    assert found
    lane = found.boxes["a"].cpu
    label = (
        f"a, 8 CPU: 0.5 CPU of other pods; {big.tenant_id}: 4 CPU; {small.tenant_id}: 2 CPU, reserved, not running yet"
    )
    assert f'aria-label="{label}; 1.5 CPU free"' in lane
    assert 'x="6.25%" width="50%"' in lane
    assert lane.count("url(#reserved)") == 1
    assert "style" not in lane
    assert found.homeless == [(homeless.tenant_id, 1)]
    assert found.fits == "1 CPU and 19 Gi"  # only where pods may go
    assert found.per_hour is None
    assert capacity(None) is None


def test_many_pods_are_summed_and_many_tenants_share_a_colour(db: None) -> None:
    tenant = TenantFactory()
    jobs = JobFactory.create_batch(45, tenant=tenant) + JobFactory.create_batch(6)
    found = capacity(cluster_of(*(run(job, "a") for job in jobs)))
    assert found
    assert found.boxes["a"].cpu.count("<rect") == 1 + 1 + 40 + 1
    assert "11 more: 11 CPU" in found.boxes["a"].cpu
    assert [name for name, _ in found.legend][-1] == "2 more"


def test_what_runs_is_priced_where_there_are_prices(db: None, settings: Settings) -> None:
    plan = Plan.objects.create(name="gold")
    PlanPrice.objects.create(plan=plan, item="cpu_hour", price=Decimal("0.10"))
    PlanPrice.objects.create(plan=plan, item="gib_hour", price=Decimal("0.01"))
    priced, free = JobFactory(cpu_request=4, memory_gi=8), JobFactory()
    assign_plan(tenant=priced.tenant, plan=plan)
    found = capacity(
        cluster_of(run(priced, "a"), run(free, "a"), run(JobFactory(tenant=priced.tenant), "b", Phase.WAITING))
    )
    assert found
    assert (found.boxes["a"].per_hour, found.boxes["b"].per_hour) == (Decimal("0.48"), None)
    assert found.per_hour == Decimal("0.48")


@pytest.mark.django_db
def test_the_section_shows_it(staff_client: Client, cluster_answers: Callable[[object], None]) -> None:
    job = JobFactory(cpu_request=4)
    cluster_answers(cluster_of(run(job, "a")))
    page = staff_client.get("/cluster/now/nodes/").content.decode()
    assert "Largest job that fits now: <strong>1 CPU and 19 Gi</strong>" in page
    assert f"{job.tenant_id}: 4 CPU" in page
    cluster_answers(None)
    assert "as seen" in staff_client.get("/cluster/now/nodes/").content.decode()
