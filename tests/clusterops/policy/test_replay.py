"""The line on paper keeps the dispatcher's rules, and what it advises would have helped."""

from hypothesis import given, settings
from hypothesis import strategies as st

from clusterops.policy.limit_use import Held, uses
from clusterops.policy.replay import Advice, Bounds, Past, advise, waits

FEW = settings(max_examples=25)
TIMES = st.integers(0, 5000).map(float)
PASTS = st.lists(st.builds(Past, TIMES, TIMES, st.integers(1, 6), st.integers(1, 6)), max_size=25)
BOUNDS = st.builds(Bounds, st.integers(1, 5), st.integers(1, 12), st.integers(1, 12))


@FEW
@given(PASTS, BOUNDS)
def test_nobody_waits_while_there_is_room_and_limits_are_kept(jobs: list[Past], bounds: Bounds) -> None:
    fit = sorted(
        (job for job in jobs if job.cpu <= bounds.cpu and job.memory_gi <= bounds.memory_gi),
        key=lambda job: job.submitted,
    )
    found = waits(jobs, bounds)
    assert len(found) == len(fit)
    starts = [job.submitted + wait for job, wait in zip(fit, found, strict=True)]
    assert starts == sorted(starts)  # of one rank: in order of coming
    for at in starts:
        held = [job for job, start in zip(fit, starts, strict=True) if start <= at < start + job.held_s]
        assert len(held) <= bounds.slots
        assert sum(job.cpu for job in held) <= bounds.cpu
        assert sum(job.memory_gi for job in held) <= bounds.memory_gi


@FEW
@given(PASTS)
def test_without_limits_nobody_waits(jobs: list[Past]) -> None:
    assert not any(waits(jobs, Bounds(100, 1000, 1000)))


@FEW
@given(PASTS, BOUNDS)
def test_advice_is_a_raise_that_helps(jobs: list[Past], bounds: Bounds) -> None:
    if advice := advise(jobs, bounds):
        assert advice.after_s <= 0.8 * advice.before_s
        assert advice.before_s >= 60
        for name in ("slots", "cpu", "memory_gi"):
            assert getattr(advice.bounds, name) >= getattr(bounds, name)
        assert advice.bounds != bounds


def test_three_slots_instead_of_two() -> None:
    batch = [Past(0.0, 600.0, 1, 1) for _ in range(3)]
    jobs = [Past(each.submitted + 3600.0 * hour, 600.0, 1, 1) for hour in range(20) for each in batch]
    assert advise(jobs, Bounds(2, 10, 10)) == Advice(Bounds(3, 10, 10), 600.0, 0.0)
    assert advise(jobs, Bounds(10, 2, 10)) == Advice(Bounds(10, 3, 10), 600.0, 0.0)
    assert advise(jobs, Bounds(2, 2, 10)) == Advice(Bounds(3, 3, 11), 600.0, 0.0)
    assert advise(jobs, Bounds(3, 3, 3)) is None
    assert advise([], Bounds(1, 1, 1)) is None


def test_higher_ranks_go_first() -> None:
    first, low, high = Past(0, 100, 1, 1), Past(1, 10, 1, 1), Past(2, 10, 1, 1, rank=(0, 5))
    assert waits([first, low, high], Bounds(1, 1, 1)) == [0, 109, 98]


def test_use_of_limits() -> None:
    held = [Held(0, 50, 2, 4), Held(50, 150, 2, 4), Held(25, 75, 2, 4)]
    slots, cpu, memory = uses(held, (2, 8, 9), 0, 100)
    assert (slots.now, slots.peak, slots.full_share) == (1, 2, 0.5)
    assert (cpu.now, cpu.peak, cpu.full_share) == (2, 4, 0.0)
    assert (memory.now, memory.peak, memory.full_share) == (4, 8, 0.5)
    assert [each.full_share for each in uses([], (1, 1, 1), 0, 100)] == [0, 0, 0]


@FEW
@given(st.lists(st.builds(Held, TIMES, TIMES, st.integers(1, 4), st.integers(1, 4)), max_size=20))
def test_shares_are_shares(held: list[Held]) -> None:
    for use in uses([job for job in held if job.begins <= job.ends], (2, 6, 6), 1000.0, 4000.0):
        assert 0 <= use.full_share <= 1
        assert use.now <= use.peak
