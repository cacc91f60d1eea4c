"""What a pod takes of its machine's room, as the scheduler reckons it. Pure.

https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from clusterops.readings.quantities import quantity
from clusterops.readings.values import unless_odd

Json = Mapping[str, Any]
RESOURCES = ("cpu", "memory")  # cores, bytes
ENDED = ("Succeeded", "Failed")  # give their room back
NOT_ENDED = ",".join(f"status.phase!={phase}" for phase in ENDED)  # as a field selector


def slim_spec(spec: Json) -> dict[str, Any]:
    """The part of a pod's spec that tells what it requests."""
    kept = {name: spec[name] for name in ("nodeName", "overhead", "resources") if spec.get(name)}
    for kind in ("containers", "initContainers"):
        if containers := spec.get(kind):
            kept[kind] = [
                {name: each[name] for name in ("resources", "restartPolicy") if each.get(name)} for each in containers
            ]
    return kept


def requests_of(spec: Json) -> Counter[str]:
    """The most that its containers request at one time, and its overhead. A sidecar is an init container that stays."""
    requested: Counter[str] = Counter()
    of_pod = _requests(spec)
    for name in RESOURCES:
        running = sum(_amount(each, name) for each in spec.get("containers") or ())
        sidecars = most = 0.0
        for each in spec.get("initContainers") or ():
            amount = _amount(each, name)
            most = max(most, sidecars + amount)
            if each.get("restartPolicy") == "Always":
                sidecars += amount
        whole = quantity(of_pod[name]) if name in of_pod else max(running + sidecars, most)
        requested[name] = whole + quantity((spec.get("overhead") or {}).get(name, 0))  # type: ignore[assignment]
    return requested


def by_node(pods: Iterable[Json]) -> dict[str, Counter[str]]:
    """Of each machine: what its pods that have not ended request, how many they are (`pods`) and run (`running`)."""
    sums: dict[str, Counter[str]] = defaultdict(Counter)

    def add(pod: Json) -> None:
        phase = (pod.get("status") or {}).get("phase")
        if (node := pod["spec"].get("nodeName")) and phase not in ENDED:
            requested = requests_of(pod["spec"])
            sums[node].update(requested)
            sums[node].update(pods=1, running=int(phase == "Running"))

    for pod in pods:  # of any namespace, so of any shape
        unless_odd(add, pod)
    return sums


def slim(pod: Json) -> Any:
    """What `by_node` reads of a pod: a hundredth of it; nothing of one in a shape never seen."""
    return unless_odd(_slim, pod) or {}


def _slim(pod: Json) -> dict[str, Any]:
    return {"spec": slim_spec(pod["spec"]), "status": {"phase": (pod.get("status") or {}).get("phase")}}


def _requests(owner: Json) -> Json:
    return (owner.get("resources") or {}).get("requests") or {}


def _amount(container: Json, name: str) -> float:
    return quantity(_requests(container).get(name, 0))
