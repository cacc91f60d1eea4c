"""How large a job the cluster could hold at all. Rooms point down only: who knows the cluster says here how to ask."""

import time
from collections.abc import Callable, Sequence

FRESH_S = 10.0  # one look in so long and process is enough

Sizes = Sequence[Sequence[float]]  # (cores, Gi) of the largest machines; empty: not known

_look: Callable[[], Sizes] | None = None
_known: tuple[float, Sizes] | None = None


def register(look: Callable[[], Sizes]) -> None:
    """`look` is asked from now on. It must not ask the cluster: submissions do not wait for that."""
    global _look
    _look = look


def forget() -> None:
    """The next question is asked anew."""
    global _known
    _known = None


def refusal(cpu: int, memory_gi: int) -> str:
    """Why a job of that size could never run; empty: it could, or nobody knows."""
    global _known
    if _look is None:
        return ""
    if _known is None or time.monotonic() - _known[0] > FRESH_S:
        _known = (time.monotonic(), _look())
    return too_large(_known[1], cpu, memory_gi)


def too_large(sizes: Sizes, cpu: int, memory_gi: int) -> str:
    """Pure. A sentence, or empty if one of `sizes` holds it."""
    if not sizes or any(cpu <= most_cpu and memory_gi <= most_gi for most_cpu, most_gi in sizes):
        return ""
    largest = ", or ".join(f"{most_cpu:.4g} CPUs and {most_gi:.4g} Gi" for most_cpu, most_gi in sizes[:3])
    return (
        f"No machine of the cluster is large enough: it asks for {cpu} CPUs and {memory_gi} Gi; at most {largest} can "
        "be had. Ask for less, or tell the operator."
    )
