"""The API server's nodes, namespaces and what stands in them → `ClusterSnapshot`, `NamespaceState`. Pure."""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from clusterops import errors, installation
from clusterops.contract import ClusterSnapshot, NamespaceSpec, NamespaceState, Node, Run
from clusterops.objects import manifests
from clusterops.readings import pod_requests
from clusterops.readings.quantities import quantity, same
from clusterops.readings.values import moment, oddity, unless_odd
from clusterops.readings.values import name as name_of

log = logging.getLogger(__name__)
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
    """`jobs` and `pods` are ours; `others`: what all other pods request of each node (`pod_requests.by_node`).

    What cannot be read is left out, and told in `unreadable`.
    """
    unreadable: list[str] = []

    def each(kind: str, items: Iterable[Json], read: Callable[[Json], None]) -> None:
        for item in items:
            try:
                read(item)
            except Exception as error:  # noqa: BLE001 - each object on its own
                unreadable.append(oddity(item, kind, error))

    usage = Usage()
    counters: dict[str, dict[str, int]] = {}
    found: list[Node] = []

    def count(job: Json) -> None:
        status = job.get("status") or {}
        counts = {name: int(status.get(name) or 0) for name in ("active", "succeeded", "failed")}
        counters[f"{job['metadata']['namespace']}/{job['metadata']['name']}"] = counts

    each("Pod", pods, usage.add)
    each("Job", jobs, count)
    for node, sums in others.items():
        usage.by_node[node].update(sums)
    each(
        "Node",
        nodes,
        lambda node: found.append(
            _node(node, usage.by_node[node["metadata"]["name"]], others.get(node["metadata"]["name"], Counter()))
        ),
    )
    totals = {name: sum(counts[name] > 0 for counts in counters.values()) for name in ("active", "succeeded", "failed")}
    return ClusterSnapshot(
        taken_at=taken_at,
        nodes=tuple(found),
        pods_by_phase=dict(usage.phases),
        jobs={"total": len(jobs)} | totals,
        runs=tuple(runs),
        unreadable=tuple(unreadable),
        job_counters=counters,
        usage_by_namespace={
            namespace: {name: sums[name] for name in ("cpu", "memory", "pods", "running")}
            for namespace, sums in usage.by_namespace.items()
        },
    )


class Usage:
    """What pods that have not ended ask for: cpu in cores, memory in bytes, and how many they are."""

    def __init__(self) -> None:
        self.phases: Counter[str] = Counter()
        self.by_node: dict[str, Counter[str]] = defaultdict(Counter)
        self.by_namespace: dict[str, Counter[str]] = defaultdict(Counter)

    def add(self, pod: Json) -> None:
        phase = str((pod.get("status") or {}).get("phase", "Pending"))
        asked = pod_requests.requests_of(pod["spec"])
        asked.update(pods=1, running=int(phase == "Running"))
        namespace, node = pod["metadata"]["namespace"], pod["spec"].get("nodeName")
        self.phases[phase] += 1
        if phase in pod_requests.ENDED:
            return
        self.by_namespace[namespace].update(asked)
        if node:
            self.by_node[node].update(asked)


def _node(node: Json, requested: Counter[str], by_others: Counter[str]) -> Node:
    meta, status = node["metadata"], node.get("status") or {}
    conditions = tuple(c["type"] for c in status.get("conditions") or [] if c.get("status") == "True")
    capacity, allocatable = (_texts(status.get(name)) for name in ("capacity", "allocatable"))
    taints = (node.get("spec") or {}).get("taints") or []
    return Node(
        name=name_of(meta["name"]),
        ready="Ready" in conditions,
        schedulable=not (node.get("spec") or {}).get("unschedulable", False),
        conditions=tuple(map(name_of, conditions)),
        capacity=capacity,
        allocatable=allocatable,
        cpu=quantity(allocatable.get("cpu", 0)),
        memory=quantity(allocatable.get("memory", 0)),
        cpu_requested=float(requested["cpu"]),
        memory_requested=float(requested["memory"]),
        pods_running=int(requested["running"]),
        created_at=moment(meta.get("creationTimestamp")),
        labels=_texts(meta.get("labels")),
        taints=tuple(name_of(taint["key"]) for taint in taints if taint.get("effect") != "PreferNoSchedule"),
        cpu_of_others=float(by_others["cpu"]),
        memory_of_others=float(by_others["memory"]),
    )


def _texts(found: Any) -> dict[str, str]:
    return {name_of(name): name_of(str(value)) for name, value in (found or {}).items()}


def pool_limits(pool: Json) -> dict[str, str]:
    """A Karpenter NodePool's; what is no quantity is left out."""
    limits = _texts((pool.get("spec") or {}).get("limits"))
    return {name: value for name, value in limits.items() if unless_odd(quantity, value) is not None}


def by_name(kind: str, items: Iterable[dict[str, Any]]) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Objects by (kind, namespace, name); what has no name is left out."""
    found = {}
    for item in items:
        try:
            found[kind, item["metadata"].get("namespace", ""), item["metadata"]["name"]] = item
        except Exception as error:  # noqa: BLE001 - each object on its own
            log.warning("%s", oddity(item, kind, error))
    return found


def namespace_states(
    objects: Mapping[tuple[str, str, str], Json], specs: Iterable[NamespaceSpec]
) -> dict[str, NamespaceState]:
    """Namespaces by name; `objects` by (kind, namespace, name), `specs` what each should be."""
    wanted = {spec.namespace: spec for spec in specs}
    states = {}
    for (kind, _, name), found in objects.items():
        if kind != "namespaces":
            continue
        spec = wanted.get(name)
        try:
            states[name] = NamespaceState(
                namespace=name,
                tenant_id=(found["metadata"].get("labels") or {}).get(manifests.TENANT, ""),
                uid=str(found["metadata"]["uid"]),
                terminating=(found.get("status") or {}).get("phase") == "Terminating",
                as_wanted=spec is None or _as_wanted(found, spec, objects),
            )
        except Exception as error:  # noqa: BLE001 - each object on its own; it is there, so it is not given up for gone
            log.warning("%s", oddity(found, "Namespace", error))
            states[name] = NamespaceState(namespace=name, tenant_id="", uid="", terminating=False, as_wanted=False)
    return states


def _as_wanted(namespace: Json, spec: NamespaceSpec, objects: Mapping[tuple[str, str, str], Json]) -> bool:
    return covers(namespace, manifests.namespace(spec)) and all(
        covers(objects.get((kind, spec.namespace, manifest["metadata"]["name"])), manifest)
        for kind, manifest in manifests.tenant_objects(spec)
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


def refuse_foreign_namespace(found: Json, spec: NamespaceSpec) -> None:
    """Raises NamespaceNotOurs, or NamespaceTerminating while it is being deleted."""
    own = found["metadata"].get("labels") or {}
    if own.get(manifests.MANAGED_BY) != "sumok8" or own.get(manifests.TENANT) != spec.tenant_id:
        raise errors.NamespaceNotOurs(
            f"The namespace {spec.namespace} exists and does not belong to tenant {spec.tenant_id}."
        )
    if manifests.INSTALLATION not in own:
        raise errors.NamespaceNotOurs(
            f"The namespace {spec.namespace} names no installation: if an earlier version of this one made it, adopt "
            "it with manage.py adopt_cluster."
        )
    if (other := own[manifests.INSTALLATION]) != installation.own_id():
        raise errors.NamespaceNotOurs(
            f"The namespace {spec.namespace} belongs to another installation, {other}; with NAMESPACE_PREFIX each has "
            "names of its own."
        )
    if (other := own.get(manifests.CLUSTER, "")) != spec.cluster:
        raise errors.NamespaceNotOurs(
            f"The namespace {spec.namespace} belongs to the cluster {other or 'that was the first'} of this "
            "installation, whose row leads to the same API server as this one's."
        )
    if (found.get("status") or {}).get("phase") == "Terminating":
        raise errors.NamespaceTerminating(f"The namespace {spec.namespace} is being deleted.", status=403)
