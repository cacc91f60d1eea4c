"""How runs end, by the cluster in memory."""

from collections.abc import Iterator
from typing import Any

from clusterops.reconciler.namespaces import spec_of
from tenants.clusters import first_cluster
from tests.clusterops.reconciler.plays.world import Play, World, ago, entered_in
from tests.factories import JobFactory

RUNS: dict[str, Play] = {}


@entered_in(RUNS)
def invalid_job(world: World) -> Iterator[None]:
    yield from _ended(world, exit=64, outcome="invalid_job")


@entered_in(RUNS)
def service_unreachable(world: World) -> Iterator[None]:
    yield from _ended(world, exit=73, outcome="unreachable")


@entered_in(RUNS)
def results_not_stored(world: World) -> Iterator[None]:
    yield from _ended(world, exit=74, outcome="io_failed")


@entered_in(RUNS)
def runner_error(world: World) -> Iterator[None]:
    yield from _ended(world, exit=72, outcome="internal")


@entered_in(RUNS)
def machines_lost(world: World) -> Iterator[None]:
    yield from _ended(world, 3, exit=75, outcome="interrupted")


@entered_in(RUNS)
def jobs_failing(world: World) -> Iterator[None]:
    yield from _ended(world, 4, exit=66, outcome="sumo_failed")


def _ended(world: World, count: int = 1, **fate: Any) -> Iterator[None]:
    """As many that succeed afterwards, and there is no more to tell of it."""
    tenant = world.tenant(f"runs-{fate['exit']}")
    for _ in range(count):
        world.submit(tenant, **fate)
    yield
    for _ in range(count):
        world.submit(tenant)


@entered_in(RUNS)
def lost(world: World) -> Iterator[None]:
    """Its namespace is there, but nothing of it."""
    tenant = world.tenant("runs-lost")
    world.gateway.ensure_namespace(spec_of(tenant, first_cluster()))
    stamps = dict.fromkeys(("submitted_at", "dispatching_at", "dispatched_at", "observed_at"), ago(days=2))
    JobFactory(tenant=tenant, **stamps)
    yield
    world.submit(tenant)
