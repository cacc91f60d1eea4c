"""Room in the cluster: a sum or machine by machine, what never fits, and for whom room is kept."""

import uuid
from typing import Any

import pytest

from clusterops.policy.capacity import Machine, MachineCapacity, PoolCapacity, largest_sizes
from clusterops.policy.fair_share import Resources
from simulations.models import Job


def job(cpu: int = 1, memory_gi: int = 1, **fields: Any) -> Job:
    return Job(job_id=uuid.uuid4(), cpu_request=cpu, memory_gi=memory_gi, **fields)


def machine(name: str, cpu: int, memory_gi: int, of_others: int = 0, **fields: Any) -> Machine:
    size = Resources(cpu, memory_gi)
    return Machine(name, size, size - Resources(of_others, of_others), **fields)


def test_a_pool_is_one_sum() -> None:
    pool = PoolCapacity(Resources(4, 8), [job(3, 1)])
    assert (pool.fits(job(1, 7)), pool.fits(job(2, 1)), pool.fits(job(1, 8))) == (True, False, False)
    assert pool.never_fits(job(4, 8)) == ""
    assert "asks for 5 CPUs and 1 Gi; at most 4 CPUs and 8 Gi" in pool.never_fits(job(5))
    pool.reserve(job(4, 8))
    assert not pool.fits(job())


def test_what_is_free_in_all_machines_together_may_fit_in_none() -> None:
    machines = MachineCapacity([machine("a", 4, 8), machine("b", 4, 8)], [job(2, node_name="a"), job(2)])
    assert (machines.fits(job(2)), machines.fits(job(4))) == (True, False)
    assert machines.whole == Resources(8, 16)


@pytest.mark.parametrize(
    "large, never",
    [(job(4, 8), False), (job(5, 1), True), (job(2, 32), False), (job(3, 32), True), (job(4, 9), True)],
)
def test_what_no_machine_could_ever_hold(large: Job, never: bool) -> None:
    """One that is not well now may be so again; what other pods request is not there for jobs."""
    machines = MachineCapacity([machine("a", 5, 9, of_others=1), machine("b", 2, 32, usable=False)], [])
    assert bool(machines.never_fits(large)) is never


def test_nothing_starts_where_no_machine_is_well_but_nothing_is_called_too_large() -> None:
    for machines in (MachineCapacity([], []), MachineCapacity([machine("a", 4, 8, usable=False)], [])):
        assert machines.never_fits(job()) == ""
        assert not machines.fits(job())
        machines.take(job())
        machines.reserve(job())
        assert not machines.is_reserved


def test_room_is_kept_on_one_machine_that_could_hold_the_job() -> None:
    machines = MachineCapacity(
        [machine("a", 4, 8), machine("b", 8, 8, of_others=5), machine("c", 6, 8)],
        [job(4, node_name="c"), job(3, node_name="a")],
    )
    machines.reserve(job(6))  # a is too small, b has others on it for good
    assert machines.is_reserved
    assert machines.fits(job(3))
    machines.take(job(3))
    assert not machines.fits(job(2))  # c has room for it, which is kept


def test_more_is_started_than_there_is_room_for() -> None:
    machines = MachineCapacity([machine("a", 2, 2)], [job(2), job(2), job(1, node_name="gone")])
    assert not machines.fits(job())


def test_the_largest_sizes() -> None:
    sizes = [Resources(2, 4), Resources(8, 2), Resources(4, 4), Resources(1, 64), Resources(8, 1)]
    assert largest_sizes(sizes) == [(8, 2), (4, 4), (1, 64)]
