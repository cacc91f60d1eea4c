"""Many tests at once: with enough of them, something always seems to differ."""

from collections.abc import Sequence


def holm(p_values: Sequence[float | None], family: int | None = None) -> list[float | None]:
    """Adjusted p values by Holm's step-down method, which keeps the chance of any false rejection below α.

    p̃(i) = max over j ≤ i of min(1, (m − j + 1) · p(j)) with p(1) ≤ … ≤ p(m) (Holm 1979). `family`: m where more tests
    belong to it than have a value. No assumption on how the tests depend on each other.
    """
    order = _ascending(p_values)
    m = max(family or 0, len(order))
    adjusted: list[float | None] = [None] * len(p_values)
    so_far = 0.0
    for rank, index in enumerate(order):
        so_far = max(so_far, min(1.0, (m - rank) * (p_values[index] or 0.0)))
        adjusted[index] = so_far
    return adjusted


def benjamini_hochberg(p_values: Sequence[float | None], rate: float = 0.05) -> list[bool]:
    """Which are discoveries with a false discovery rate of at most `rate` (Benjamini & Hochberg 1995).

    All up to the largest i with p(i) ≤ i / m · rate. For many figures of one kind, such as edges.
    """
    order = _ascending(p_values)
    found = 0
    for rank, index in enumerate(order, 1):
        if (p_values[index] or 0.0) <= rank / len(order) * rate:
            found = rank
    chosen = set(order[:found])
    return [index in chosen for index in range(len(p_values))]


def _ascending(p_values: Sequence[float | None]) -> list[int]:
    known = [(p, index) for index, p in enumerate(p_values) if p is not None]
    return [index for _, index in sorted(known)]
