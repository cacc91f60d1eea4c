"""Fair shares: what counts, how it fades, and that in the long run everybody has what its weight says."""

import uuid
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterops.policy.capacity import Capacity, Machine, MachineCapacity, PoolCapacity
from clusterops.policy.fair_share import (
    RESERVES_AFTER,
    Claim,
    Resources,
    charged,
    decayed,
    held_by,
    used_in_words,
    used_shares,
    weighed,
)
from clusterops.policy.queue import Room, turns
from simulations.models import Job
from tenants.models import Tenant

NOW = datetime(2026, 11, 23, tzinfo=UTC)
WEEK = timedelta(days=7)
MINUTE = timedelta(minutes=1)


def ran(minutes: int = 10, **fields: Any) -> Job:
    """A job that began so long ago and runs."""
    at = NOW - minutes * MINUTE
    defaults = {"status": "RUNNING", "reason": "RUNNING", "dispatched_at": at, "started_at": at}
    return Job(**defaults | fields)


ENDED = {"status": "SUCCEEDED", "finished_at": NOW - 5 * MINUTE}


@pytest.mark.parametrize(
    "job, since, use",
    [
        (ran(), None, (600, 600)),
        (ran(cpu_request=2, memory_gi=8), NOW - 2 * MINUTE, (240, 960)),
        (ran(priority_class=-1), None, (300, 300)),
        (ran(**ENDED), None, (300, 300)),
        (ran(**ENDED), NOW - MINUTE, (1, 1)),  # seen late: never for nothing
        (ran(dispatched_at=NOW - MINUTE), None, (60, 60)),  # a second attempt
        (ran(dispatched_at=None), None, (0, 0)),
        (ran(reason="WAITING_FOR_NODE"), None, (0, 0)),
        (Job(dispatched_at=NOW), None, (0, 0)),
    ],
    ids=["all", "since", "low", "ended", "late", "second attempt", "between attempts", "waits", "not begun"],
)
def test_what_a_job_counts_for(job: Job, since: datetime | None, use: tuple[float, float]) -> None:
    assert charged(job, since, NOW) == Resources(*use)


def test_use_halves_with_each_half_life() -> None:
    use = Resources(80, 8)
    assert decayed(use, 2 * WEEK, WEEK) == Resources(20, 2)
    assert decayed(decayed(use, WEEK / 2, WEEK), WEEK / 2, WEEK).cpu == pytest.approx(40)
    assert decayed(use, -WEEK, WEEK) == use  # a clock set back


def test_the_dominant_resource_counts() -> None:
    whole = Resources(100, 1000)
    used = {"cores": Resources(30, 10), "memory": Resources(1, 100), "idle": Resources()}
    assert used_shares(used, whole) == {"cores": pytest.approx(0.75), "memory": pytest.approx(0.25), "idle": 0}
    assert used_shares({"idle": Resources()}, whole) == {}
    assert Claim(2, used["cores"]).level(whole) == pytest.approx(0.15)


@pytest.mark.parametrize(
    "share, days, words",
    [
        (0.31, 7, "31 % of the last week"), (0.001, 14, "less than 1 % of the last 2 weeks"),
        (0, 1, "0 % of the last day"),
        (1, 3, "100 % of the last 3 days"), (0.5, 0.5, "50 % of the last 12 hours"),
    ],
)  # fmt: skip
def test_use_in_words(share: float, days: float, words: str) -> None:
    assert used_in_words(share, timedelta(days=days)) == words


class World:
    """Tenants with endless queues before a cluster, in steps of a minute; the rules are the product's."""

    def __init__(self, weights: list[int], sizes: list[tuple[int, int]], cores: int, minutes: list[int]) -> None:
        self.tenants = {
            f"t{n}": Tenant(tenant_id=f"t{n}", max_cpu=999, max_memory_gi=999, max_concurrent_jobs=999, weight=weight)
            for n, weight in enumerate(weights)
        }
        self.sizes, self.minutes, self.cores = dict(zip(self.tenants, sizes, strict=True)), minutes, cores
        self.running: list[tuple[int, Job]] = []  # until minute
        self.used = dict.fromkeys(self.tenants, Resources())
        self.overtaken: dict[str, tuple[uuid.UUID, int]] = {}
        self.started = dict.fromkeys(self.tenants, 0)
        self.heads = {name: [self.job(name) for _ in range(cores)] for name in self.tenants}
        self.minute = self.number = 0

    def job(self, name: str) -> Job:
        cpu, memory_gi = self.sizes[name]
        return Job(job_id=uuid.uuid4(), tenant_id=name, cpu_request=cpu, memory_gi=memory_gi, submitted_at=NOW)

    def capacity(self) -> Capacity:
        return PoolCapacity(Resources(self.cores, 4 * self.cores), [job for _, job in self.running])

    def step(self) -> None:
        self.minute += 1
        for _, job in self.running:
            self.used[job.tenant_id] += weighed(job) * 60
        self.running = [(until, job) for until, job in self.running if until > self.minute]
        again = True
        while again:
            again = self.round()

    def round(self) -> bool:
        """One pass of a dispatcher that sees the heads of the lines; whether something was started."""
        capacity = self.capacity()
        claims, rooms = {}, {}
        for name, tenant in self.tenants.items():
            own = [job for _, job in self.running if job.tenant_id == name]
            head, since = self.overtaken.get(name, (None, 0))
            claims[name] = Claim(
                tenant.weight, self.used[name], held_by(own), None, head, (self.minute - since) * MINUTE
            )
            rooms[name] = Room.of(tenant, own)
        started = False
        queued = {name: list(heads) for name, heads in self.heads.items()}
        found = list(turns(queued, rooms, self.tenants, claims, capacity, WEEK))
        for turn in found:
            name = turn.job.tenant_id
            if turn.overtaken:
                if self.overtaken.get(name, (None, 0))[0] != turn.job.pk:
                    self.overtaken[name] = turn.job.pk, self.minute
                continue
            if turn.why:
                continue
            self.number += 1
            until = self.minute + self.minutes[self.number % len(self.minutes)]
            self.running.append((until, turn.job))
            self.started[name] += 1
            self.heads[name].remove(turn.job)
            self.heads[name].append(self.job(name))
            started = True
        held = held_by(job for _, job in self.running)
        assert held.cpu <= self.cores
        assert held.memory_gi <= 4 * self.cores
        return started


MINUTES = st.lists(st.integers(1, 30), min_size=1, max_size=7)


@pytest.mark.unmeasured
@given(weights=st.lists(st.integers(1, 5), min_size=2, max_size=5), minutes=MINUTES)
@settings(max_examples=4, deadline=None)
def test_shares_converge_to_weights(weights: list[int], minutes: list[int]) -> None:
    world = World(weights, [(1, 1)] * len(weights), cores=7, minutes=minutes)
    for _ in range(500):
        world.step()
    total = sum(use.cpu for use in world.used.values())
    for name, tenant in world.tenants.items():
        assert world.used[name].cpu / total == pytest.approx(tenant.weight / sum(weights), abs=0.03)


@pytest.mark.unmeasured
@given(
    weights=st.lists(st.integers(1, 50), min_size=4, max_size=4),
    sizes=st.lists(st.tuples(st.integers(1, 8), st.integers(1, 32)), min_size=4, max_size=4),
    minutes=MINUTES,
)
@settings(max_examples=4, deadline=None)
def test_nobody_is_overtaken_for_ever(weights: list[int], sizes: list[tuple[int, int]], minutes: list[int]) -> None:
    """Whatever the sizes: even one that needs the whole cluster runs, while small ones never end."""
    world = World(weights, [*sizes[:3], (8, 1)], cores=8, minutes=minutes)
    for _ in range(500):
        world.step()
    assert min(world.started.values()) >= 1


def test_room_is_kept_before_a_tenant_that_used_less_has_its_turn() -> None:
    """Of two that found no room the longer one comes first; one that is not next any more has no right."""
    tenants = {
        name: Tenant(tenant_id=name, max_cpu=9, max_memory_gi=9, max_concurrent_jobs=9)
        for name in ("old", "older", "new")
    }
    jobs = {name: Job(job_id=uuid.uuid4(), tenant_id=name, cpu_request=3, submitted_at=NOW) for name in tenants}
    jobs["new"].cpu_request = 1

    def started(overtaken: Job, free: int) -> list[str]:
        claims = {name: Claim(used=Resources(9 if name != "new" else 0, 9)) for name in tenants}
        for name, job, hours in (("old", jobs["old"], 1), ("older", overtaken, 2)):
            claims[name].overtaken_job, claims[name].overtaken_for = job.pk, hours * 60 * MINUTE
        found = turns(
            {name: [job] for name, job in jobs.items()}, {name: Room.of(tenants[name], ()) for name in tenants},
            tenants, claims, PoolCapacity(Resources(9, 9), [Job(cpu_request=9 - free)]), WEEK,
        )  # fmt: skip
        return [turn.job.tenant_id for turn in found if not turn.why]

    assert started(jobs["older"], free=2) == []
    assert started(jobs["older"], free=3) == ["older"]
    assert started(jobs["older"], free=7) == ["older", "old", "new"]
    assert started(jobs["new"], free=5) == ["old", "new"]


def test_overtaken_is_who_was_before_a_job_that_found_room() -> None:
    """Not who waits because the others' turn comes first: weights would count for nothing."""
    sizes = {"first": 3, "second": 1, "third": 3}
    tenants = {name: Tenant(tenant_id=name, max_cpu=9, max_memory_gi=9, max_concurrent_jobs=9) for name in sizes}
    found = turns(
        {name: [Job(job_id=uuid.uuid4(), tenant_id=name, cpu_request=cpu)] for name, cpu in sizes.items()},
        {name: Room.of(tenant, ()) for name, tenant in tenants.items()},
        tenants,
        {name: Claim(used=Resources(cpu=n)) for n, name in enumerate(sizes)},
        PoolCapacity(Resources(9, 9), [Job(cpu_request=7)]),
        WEEK,
    )
    assert [(turn.job.tenant_id, bool(turn.why), turn.overtaken) for turn in list(found)] == [
        ("first", True, True),
        ("second", False, False),
        ("third", True, False),
    ]


def test_a_large_job_waits_for_a_while_and_then_has_room_kept() -> None:
    world = World([1, 1, 1], [(1, 1), (1, 1), (8, 8)], cores=8, minutes=[7, 3, 11])
    starts = []
    world.running = [(5, world.job("t0")) for _ in range(4)]
    for minute in range(1, 60):
        before = world.started["t2"]
        world.step()
        starts += [minute] * (world.started["t2"] - before)
    assert starts[0] <= RESERVES_AFTER / MINUTE + 12


@pytest.mark.parametrize("seed", range(200))
def test_same_input_same_order_and_no_limit_is_exceeded(seed: int) -> None:
    random = Random(seed)
    names = random.sample("abcdefgh", random.randint(1, 8))
    tenants, queued, claims = {}, {}, {}
    for name in names:
        limits = {
            "max_cpu": random.randint(3, 6),
            "max_memory_gi": random.randint(3, 6),
            "max_concurrent_jobs": random.randint(1, 4),
        }
        tenants[name] = Tenant(tenant_id=name, weight=random.randint(1, 4), **limits)
        queued[name] = [
            Job(
                job_id=uuid.UUID(int=random.getrandbits(128)), tenant_id=name, cpu_request=random.randint(1, 4),
                memory_gi=random.randint(1, 4), priority_class=random.randint(-1, 1),
                priority=random.randint(-1, 1), submitted_at=NOW - MINUTE * random.randint(1, 4),
            )
            for _ in range(random.randint(1, 5))
        ]  # fmt: skip
        claims[name] = (random.randint(1, 4), Resources(random.randint(1, 4), random.randint(1, 4)))
    sizes = [(random.randint(1, 4), random.randint(1, 4)) for _ in range(random.randint(1, 4))]

    def order(shuffled: list[str]) -> list[tuple[Any, str]]:
        machines = [Machine(str(n), Resources(*size), Resources(*size)) for n, size in enumerate(sizes)]
        found = turns(
            {name: queued[name] for name in shuffled},
            {name: Room.of(tenants[name], ()) for name in shuffled},
            tenants,
            {name: Claim(*claims[name]) for name in shuffled},
            MachineCapacity(machines, ()),
            WEEK,
        )
        return [(turn.job.pk, turn.why) for turn in found]

    first = order(names)
    assert first == order(random.sample(names, len(names)))
    by_id = {job.pk: job for jobs in queued.values() for job in jobs}
    started = [by_id[pk] for pk, why in first if not why]
    assert len({job.pk for job in started}) == len(started)
    for name, tenant in tenants.items():
        own = [job for job in started if job.tenant_id == name]
        assert len(own) <= tenant.max_concurrent_jobs
        assert sum(job.cpu_request for job in own) <= tenant.max_cpu
        assert sum(job.memory_gi for job in own) <= tenant.max_memory_gi
        # within a tenant nobody overtakes but what could ever run
        ranks = [(-job.priority_class, -job.priority, job.submitted_at, job.pk) for job in own]
        assert ranks == sorted(ranks)
    assert sum(job.cpu_request for job in started) <= sum(cpu for cpu, _ in sizes)
    assert sum(job.memory_gi for job in started) <= sum(memory for _, memory in sizes)


def test_twenty_tenants_take_turns_and_not_by_alphabet() -> None:
    """Ten starts a pass, twenty endless queues, jobs of a second: after fifty passes all had the same."""
    tenants = {
        f"t{n:02}": Tenant(tenant_id=f"t{n:02}", max_cpu=99, max_memory_gi=99, max_concurrent_jobs=50)
        for n in range(20)
    }
    used = dict.fromkeys(tenants, Resources())
    starts = dict.fromkeys(tenants, 0)
    for _ in range(50):
        queued = {
            name: [Job(job_id=uuid.uuid4(), tenant_id=name, submitted_at=NOW) for _ in range(12)] for name in tenants
        }
        rooms = {name: Room.of(tenant, ()) for name, tenant in tenants.items()}
        claims = {name: Claim(1, used[name]) for name in tenants}
        chosen = [turn.job for turn in turns(queued, rooms, tenants, claims, Capacity(), WEEK) if not turn.why][:10]
        for job in chosen:
            starts[job.tenant_id] += 1
            used[job.tenant_id] += weighed(job)
    assert set(starts.values()) == {25}
