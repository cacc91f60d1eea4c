"""How much room the cluster has for new jobs, as far as its row or CAPACITY asks for it."""

from collections.abc import Iterable

from django.conf import settings

from clusterops.contract import ClusterSnapshot, Node
from clusterops.models import ReconcilerState
from clusterops.policy.capacity import Capacity, Machine, MachineCapacity, PoolCapacity, largest_sizes
from clusterops.policy.fair_share import Resources
from clusterops.readings.quantities import quantity
from clusterops.reconciler.pass_state import Pass
from simulations.models import Job

GI = 2**30
PASSING_TAINTS = "node.kubernetes.io/"  # pressure, not ready, cordoned: they come and go


def capacity_of(this_pass: Pass) -> str:
    """The cluster's own, else the setting."""
    return this_pass.cluster.capacity or str(settings.CAPACITY)


def learn(this_pass: Pass, snapshot: ClusterSnapshot) -> None:
    """Once a minute: the machines that take jobs, or the pool's limits; and, for submissions, the largest job."""
    memory = this_pass.memory
    if capacity_of(this_pass) == "nodes":
        memory.nodes = tuple(node for node in snapshot.nodes if takes_jobs(node))
        sizes = list(largest_sizes(_size(node) for node in memory.nodes))
    else:
        memory.node_pool = _pool(this_pass)  # if that fails, what was known before still holds
        sizes = [(memory.node_pool.cpu, memory.node_pool.memory_gi)] if memory.node_pool else []
    ReconcilerState.objects.update_or_create(pk=this_pass.cluster.pk, defaults={"sizes": sizes})


def room(this_pass: Pass, started: Iterable[Job]) -> Capacity:
    """What is free now, beside jobs that are `started`."""
    if capacity_of(this_pass) == "nodes":
        return MachineCapacity((_machine(node) for node in this_pass.memory.nodes), started)
    return PoolCapacity(this_pass.memory.node_pool, started) if this_pass.memory.node_pool else Capacity()


def largest(this_pass: Pass) -> Resources | None:
    """No job beyond it is ever started; None: no bound is known."""
    if capacity_of(this_pass) == "nodes":
        sizes = [_size(node) for node in this_pass.memory.nodes]
        return Resources(max(each.cpu for each in sizes), max(each.memory_gi for each in sizes)) if sizes else None
    return this_pass.memory.node_pool


def _pool(this_pass: Pass) -> Resources | None:
    """None: no bound is asked for, or none is known."""
    given = dict(part.split("=", 1) for part in capacity_of(this_pass).split(",") if "=" in part)
    if name := given.get("nodepool"):
        given = dict(this_pass.gateway.pool_limits(name))
        if not given.keys() >= {"cpu", "memory"}:
            this_pass.odd(f"NodePool {name} has no limits of both cpu and memory, so CAPACITY bounds nothing")
            return None
    return Resources(quantity(given["cpu"]), quantity(given["memory"]) / GI) if given else None


def takes_jobs(node: Node) -> bool:
    """By what the operator says of the machine, whether or not it is well at this moment."""
    chosen = all(node.labels.get(name) == value for name, value in settings.RUNNER_NODE_SELECTOR.items())
    return chosen and all(
        taint in settings.RUNNER_TOLERATIONS for taint in node.taints if not taint.startswith(PASSING_TAINTS)
    )


def _size(node: Node) -> Resources:
    return Resources(node.cpu, node.memory / GI)


def _machine(node: Node) -> Machine:
    well = node.ready and node.schedulable and not any(taint.startswith(PASSING_TAINTS) for taint in node.taints)
    return Machine(
        name=node.name,
        size=_size(node),
        free=_size(node) - Resources(node.cpu_of_others, node.memory_of_others / GI),
        usable=well,
    )
