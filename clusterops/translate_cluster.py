"""The API server's nodes, namespaces and what stands in them → `ClusterSnapshot`, `SpaceState`. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from clusterops import errors, installation, manifests
from clusterops.contract import ClusterSnapshot, Node, Run, SpaceState, TenantSpace
from clusterops.readings import pod_requests
from clusterops.readings.quantities import quantity, same

Json = Mapping[str, Any]
# Mappings of what we write whose values are quantities: the API server gives back its own way of writing them.
QUANTITIES = {"hard", "default", "defaultRequest", "requests", "limits"}


def snapshot(
    nodes: Iterable[Json],
    jobs: Sequence[Json],
    pods: Sequence[Json],
    runs: Iterable[Run],
    taken_at: datetime,
    others: Mapping[str, Counter[str]] = MappingProxyType({}),
) -> ClusterSnapshot:
    """`jobs` and `pods` are ours; `others`: what all other pods request of each node (`pod_requests.by_node`)."""
    requested = pod_requests.by_node(pods)
    for node, sums in others.items():
        requested[node].update(sums)
    usage: dict[str, Counter[str]] = defaultdict(Counter)
    phases: Counter[str] = Counter()
    for pod in pods:
        phase = (pod.get("status") or {}).get("phase", "Pending")
        phases[phase] += 1
        if phase not in pod_requests.ENDED:
            asked = pod_requests.requests_of(pod["spec"])
            asked.update(pods=1, running=int(phase == "Running"))
            usage[pod["metadata"]["namespace"]].update(asked)
    counters = {}
    totals = Counter(total=len(jobs))
    for job in jobs:
        status = job.get("status") or {}
        counts = {name: int(status.get(name) or 0) for name in ("active", "succeeded", "failed")}
        counters[f"{job['metadata']['namespace']}/{job['metadata']['name']}"] = counts
        totals.update({name: int(value > 0) for name, value in counts.items()})
    return ClusterSnapshot(
        taken_at=taken_at,
        nodes=tuple(_node(node, requested[node["metadata"]["name"]]) for node in nodes),
        pods_by_phase=dict(phases),
        jobs={name: totals[name] for name in ("total", "active", "succeeded", "failed")},
        runs=tuple(runs),
        job_counters=counters,
        usage_by_namespace={
            namespace: {name: sums[name] for name in ("cpu", "memory", "pods", "running")}
            for namespace, sums in usage.items()
        },
    )


def _node(node: Json, requested: Counter[str]) -> Node:
    meta, status = node["metadata"], node.get("status") or {}
    conditions = tuple(c["type"] for c in status.get("conditions") or [] if c.get("status") == "True")
    allocatable = status.get("allocatable") or {}
    created = meta.get("creationTimestamp")
    return Node(
        name=meta["name"],
        ready="Ready" in conditions,
        schedulable=not (node.get("spec") or {}).get("unschedulable", False),
        conditions=conditions,
        capacity=status.get("capacity") or {},
        allocatable=allocatable,
        cpu=quantity(allocatable.get("cpu", 0)),
        memory=quantity(allocatable.get("memory", 0)),
        cpu_requested=float(requested["cpu"]),
        memory_requested=float(requested["memory"]),
        pods_running=int(requested["running"]),
        created_at=datetime.fromisoformat(created) if created else None,
        labels=meta.get("labels") or {},
    )


def space_states(objects: Mapping[tuple[str, str, str], Json], spaces: Iterable[TenantSpace]) -> dict[str, SpaceState]:
    """Namespaces by name; `objects` by (kind, namespace, name), `spaces` what each should be."""
    wanted = {space.namespace: space for space in spaces}
    states = {}
    for (kind, _, name), found in objects.items():
        if kind != "namespaces":
            continue
        space = wanted.get(name)
        states[name] = SpaceState(
            namespace=name,
            tenant_id=(found["metadata"].get("labels") or {}).get(manifests.TENANT, ""),
            uid=found["metadata"]["uid"],
            terminating=(found.get("status") or {}).get("phase") == "Terminating",
            as_wanted=space is None or _as_wanted(found, space, objects),
        )
    return states


def _as_wanted(namespace: Json, space: TenantSpace, objects: Mapping[tuple[str, str, str], Json]) -> bool:
    return covers(namespace, manifests.namespace(space)) and all(
        covers(objects.get((kind, space.namespace, manifest["metadata"]["name"])), manifest)
        for kind, manifest in manifests.tenant_objects(space)
    )


def covers(found: Any, wanted: Any) -> bool:
    """Whether `found` has all that `wanted` names; the API server's own additions do not matter."""
    if isinstance(wanted, Mapping):
        if not isinstance(found, Mapping):
            return False
        # Items of a LIST carry neither apiVersion nor kind.
        return all(
            _same_quantities(found.get(key), value)
            if key in QUANTITIES and isinstance(value, Mapping)
            else covers(found.get(key), value)
            for key, value in wanted.items()
            if key not in {"apiVersion", "kind"}
        )
    if isinstance(wanted, list):
        return (
            isinstance(found, list)
            and len(found) == len(wanted)
            and all(covers(a, b) for a, b in zip(found, wanted, strict=True))
        )
    return bool(found == wanted)


def _same_quantities(found: Any, wanted: Json) -> bool:
    return isinstance(found, Mapping) and all(same(found.get(name), value) for name, value in wanted.items())


def refuse_foreign_namespace(found: Json, space: TenantSpace) -> None:
    """Raises NamespaceNotOurs, or NamespaceTerminating while it is being deleted."""
    own = found["metadata"].get("labels") or {}
    if own.get(manifests.MANAGED_BY) != "sumok8" or own.get(manifests.TENANT) != space.tenant_id:
        raise errors.NamespaceNotOurs(
            f"The namespace {space.namespace} exists and does not belong to tenant {space.tenant_id}."
        )
    if manifests.INSTALLATION not in own:
        raise errors.NamespaceNotOurs(
            f"The namespace {space.namespace} names no installation: if an earlier version of this one made it, adopt "
            "it with manage.py adopt_cluster."
        )
    if (other := own[manifests.INSTALLATION]) != installation.own_id():
        raise errors.NamespaceNotOurs(
            f"The namespace {space.namespace} belongs to another installation, {other}; with NAMESPACE_PREFIX each has "
            "names of its own."
        )
    if (found.get("status") or {}).get("phase") == "Terminating":
        raise errors.NamespaceTerminating(f"The namespace {space.namespace} is being deleted.", status=403)
