"""What hides other causes, or lasts no longer than till the next pass."""

from collections.abc import Iterator
from typing import Any

from clusterops.gateway import Gateway, KubeApi
from clusterops.models import ReconcilerState
from clusterops.reconciler import troubles
from localcluster import kubeconfig
from simulations.models import Job
from tenants.clusters import Cluster
from tests.clusterops.reconciler.plays.world import Play, World, ago, dated_back, entered_in

ALONE: dict[str, Play] = {}


@entered_in(ALONE)
def starting_slowly(world: World) -> Iterator[None]:
    job = world.submit(world.tenant("slow"))
    world.loop.once()
    job.refresh_from_db()
    dated_back(job, minutes=20)
    yield
    world.loop.until_ended(job)


@entered_in(ALONE)
def reconciler_silent(world: World) -> Iterator[None]:
    ReconcilerState.objects.update(pass_finished_at=ago(minutes=3))
    yield
    world.loop.once()


@entered_in(ALONE)
def cluster_unreachable(world: World) -> Iterator[None]:
    nobody = world.folder / "nobody"
    kubeconfig.write(nobody, 9, "token")  # where nobody listens
    world.loop.gateway = Gateway(KubeApi(str(nobody)))
    world.loop.once()
    yield
    world.loop.gateway = world.gateway
    world.loop.once()


@entered_in(ALONE)
def cluster_down(world: World) -> Iterator[None]:
    Cluster.objects.update(state=Cluster.State.DOWN)
    yield
    Cluster.objects.update(state=Cluster.State.ACTIVE)


@entered_in(ALONE)
def pass_failed(world: World) -> Iterator[None]:
    def broken(*_: Any) -> None:
        raise RuntimeError("a mistake of ours")

    with world.patch.context() as patch:
        patch.setattr("clusterops.reconciler.one_pass.update_jobs", broken)
        world.loop.once()
    yield
    world.loop.once()


@entered_in(ALONE)
def reconciler_slow(world: World) -> Iterator[None]:
    with world.patch.context() as patch:
        patch.setattr("clusterops.policy.attention.SLOW_PASS_S", 0.0)
        yield


@entered_in(ALONE)
def rows_failing(world: World) -> Iterator[None]:
    job = world.submit(world.tenant("broken"))
    Job.objects.filter(pk=job.pk).update(scenario_data={"time_limit_s": "soon"})
    with world.patch.context() as patch:
        patch.setattr(troubles, "FIRST_REST_S", 0.0)
        world.loop.once()
        world.loop.once()
    yield
    job.request_cancel()
    with world.patch.context() as patch:
        patch.setattr(troubles, "FORGOTTEN_AFTER_S", -1.0)
        world.loop.until_ended(job)
