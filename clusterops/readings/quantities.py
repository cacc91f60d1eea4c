"""Kubernetes' quantities: one value may be written in many ways ("1000", "1k", "1e3"), so only values are compared.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

import math
import re
from decimal import Decimal
from functools import lru_cache

_BINARY = {suffix: Decimal(2) ** (10 * power) for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)}
_DECIMAL = {"n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1)} | {
    suffix: Decimal(10) ** (3 * power) for power, suffix in enumerate("kMGTPE", 1)
}
_NUMBER = re.compile(r"([+-]?[0-9.]+)([a-zA-Z]*|[eE][+-]?[0-9]+)")


@lru_cache(maxsize=4096)
def exact(text: str | int | float) -> Decimal:
    """The value in base units (cores, bytes, pieces). Raises ValueError."""
    found = _NUMBER.fullmatch(str(text))
    try:
        if found:
            number, suffix = found.groups()
            if factor := _BINARY.get(suffix) or _DECIMAL.get(suffix):
                return Decimal(number) * factor
            return Decimal(number + suffix)
    except ArithmeticError:  # two dots; an exponent beyond all bounds
        pass
    raise ValueError(f"{text!r} is not a quantity")


def quantity(text: str | int | float) -> float:
    """The value as a number to reckon with: "100m" → 0.1, "4Gi" → 4294967296. Raises ValueError."""
    if math.isfinite(found := float(exact(text))):
        return found
    raise ValueError(f"{text!r} is no quantity of anything")


def same(one: object, other: object) -> bool:
    """Whether both are the same quantity; what is none is compared as it is."""
    try:
        return exact(str(one)) == exact(str(other))
    except ValueError:
        return one == other
