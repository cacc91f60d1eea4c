"""Whose job is next, as a table."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from clusterops.policy.budget import Allowance
from clusterops.policy.capacity import Capacity
from clusterops.policy.fair_share import Claim, held_by
from clusterops.policy.queue import Room, turns
from simulations.models import Job
from tenants.models import Tenant

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def tenant(name: str, cpu: int = 10, memory_gi: int = 20, slots: int = 2) -> Tenant:
    return Tenant(tenant_id=name, max_cpu=cpu, max_memory_gi=memory_gi, max_concurrent_jobs=slots)


def job(
    name: str, age: int, cpu: int = 1, memory_gi: int = 1, priority: int = 0, status: str = "PENDING", rank: int = 0
) -> Job:
    return Job(
        job_id=uuid.uuid5(uuid.NAMESPACE_DNS, name), pod_name=name, tenant_id=name[0], status=status,
        submitted_at=NOW - timedelta(seconds=age), cpu_request=cpu, memory_gi=memory_gi, priority=priority,
        priority_class=rank,
    )  # fmt: skip


def order(tenants: list[Tenant], jobs: list[Job], started: list[Job] = ()) -> tuple[list[str], list[str]]:
    by_name = {each.pk: each for each in tenants}
    queued = {pk: [each for each in jobs if each.tenant_id == pk] for pk in by_name}
    rooms = {pk: Room.of(each, [s for s in started if s.tenant_id == pk]) for pk, each in by_name.items()}
    lines = {pk: each for pk, each in queued.items() if each}
    claims = {pk: Claim(held=held_by(s for s in started if s.tenant_id == pk)) for pk in by_name}
    found = list(turns(lines, rooms, by_name, claims, Capacity(), timedelta(days=7)))
    return [t.job.pod_name for t in found if not t.why], [t.job.pod_name for t in found if t.why]


@pytest.mark.parametrize(
    "tenants, jobs, started, starts, waits",
    [
        ([tenant("a")], [job("a1", 1), job("a2", 2), job("a3", 3)], [], ["a3", "a2"], ["a1"]),
        ([tenant("a")], [job("a1", 1, priority=5), job("a2", 2)], [job("a0", 9)], ["a1"], ["a2"]),
        (
            [tenant("a")],
            [job("a1", 3, rank=-1, priority=9), job("a2", 2), job("a3", 1, rank=1)],
            [],
            ["a3", "a2"],
            ["a1"],
        ),
        ([tenant("a")], [job("a1", 1, status="RUNNING"), job("a2", 2, priority=9)], [job("a0", 9)], ["a1"], ["a2"]),
        ([tenant("a", slots=9)], [job("a1", 3, cpu=8), job("a2", 2, cpu=1)], [job("a0", 9, cpu=4)], [], ["a1"]),
        ([tenant("a", slots=9)], [job("a1", 3, memory_gi=8), job("a2", 2)], [job("a0", 9, memory_gi=19)], [], ["a1"]),
        ([tenant("a", cpu=4, slots=9)], [job("a1", 3, cpu=8), job("a2", 2)], [], ["a2"], ["a1"]),
        (
            [tenant("a", slots=3), tenant("b", slots=1)],
            [job("a1", 9), job("a2", 8), job("a3", 7), job("b1", 1), job("b2", 0)],
            [],
            ["a1", "b1", "a2", "a3"],
            ["b2"],
        ),
        ([tenant("a"), tenant("b")], [job("a1", 1)], [job("b0", 9)], ["a1"], []),
    ],
    ids=[
        "age",
        "priority",
        "class before priority",
        "a lost machine's job first",
        "no overtaking",
        "memory",
        "beyond limits lets pass",
        "turns",
        "nothing queued",
    ],
)
def test_order(tenants, jobs, started, starts, waits) -> None:
    assert order(tenants, jobs, started) == (starts, waits)


def test_what_starts_is_reserved_and_what_the_budget_does_not_bear_holds_the_line() -> None:
    jobs = [job("a1", 3), job("a2", 2), job("a3", 1)]
    month = Allowance("2026-11", "EUR", Decimal(5), Decimal(1), {each.pk: Decimal(3) for each in jobs[:2]})
    owner = tenant("a", slots=9)
    room = Room(9, 10, 20, month)
    found = list(turns({"a": jobs}, {"a": room}, {"a": owner}, {"a": Claim()}, Capacity(), timedelta(days=7)))
    assert [(turn.job.pod_name, turn.reason) for turn in found] == [("a1", "QUEUED"), ("a2", "BUDGET_REACHED")]
    assert found[1].why == month.why_not(jobs[1])
    assert month.reserved == 3
