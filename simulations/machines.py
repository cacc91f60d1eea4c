"""How large a job the cluster could hold at all. Rooms point down only: who knows the cluster says here how to ask."""

import time
from collections.abc import Callable, Sequence

FRESH_S = 10.0  # one look in so long and process is enough

Sizes = Sequence[Sequence[float]]  # (cores, Gi) of the largest machines; empty: not known

_look: Callable[[int | None], Sizes] | None = None
_known: dict[int | None, tuple[float, Sizes]] = {}  # by cluster


def register(look: Callable[[int | None], Sizes]) -> None:
    """`look` is asked from now on, of a cluster by its key. It must not ask the cluster itself: submissions do not wait
    for that."""
    global _look
    _look = look


def forget() -> None:
    """The next question is asked anew."""
    _known.clear()


def refusal(cpu: int, memory_gi: int, cluster_id: int | None) -> str:
    """Why a job of that size could never run there; empty: it could, or nobody knows."""
    if _look is None:
        return ""
    known = _known.get(cluster_id)
    if known is None or time.monotonic() - known[0] > FRESH_S:
        known = _known[cluster_id] = (time.monotonic(), _look(cluster_id))
    return too_large(known[1], cpu, memory_gi)


def too_large(sizes: Sizes, cpu: int, memory_gi: int) -> str:
    """Pure. A sentence, or empty if one of `sizes` holds it."""
    if not sizes or any(cpu <= most_cpu and memory_gi <= most_gi for most_cpu, most_gi in sizes):
        return ""
    largest = ", or ".join(f"{most_cpu:.4g} CPUs and {most_gi:.4g} Gi" for most_cpu, most_gi in sizes[:3])
    return (
        f"No machine of the cluster is large enough: it asks for {cpu} CPUs and {memory_gi} Gi; at most {largest} can "
        "be had. Ask for less, or tell the operator."
    )
