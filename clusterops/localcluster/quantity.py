"""Kubernetes quantities ("100m", "64Mi", "2Gi"): exact parsing, canonical printing."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache

PATTERN = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_NUMBER = re.compile(r"([+-]?[0-9.]+)(.*)")


class BadQuantity(ValueError):
    def __init__(self) -> None:
        super().__init__(f"quantities must match the regular expression '{PATTERN}'")


@lru_cache(maxsize=4096)
def parse(text: str | int | float) -> Decimal:
    """The exact value in base units (cores, bytes, pieces). Raises BadQuantity."""
    match = _NUMBER.fullmatch(str(text))
    if not match:
        raise BadQuantity
    number, suffix = match.groups()
    try:
        value = Decimal(number)
        if suffix in _BINARY:
            return value * _BINARY[suffix]
        if suffix in _DECIMAL:
            return value.scaleb(_DECIMAL[suffix])
        return Decimal(number + suffix)
    except InvalidOperation:
        raise BadQuantity from None


def is_binary(resource_name: str) -> bool:
    return resource_name.endswith(("memory", "storage"))


def render(value: Decimal, *, binary: bool) -> str:
    """The canonical text: the largest suffix without a fraction; cores as whole numbers or thousandths."""
    if value == 0:
        return "0"
    if not binary:
        return str(int(value)) if value == int(value) else f"{int((value * 1000).to_integral_value())}m"
    whole = int(value)
    for suffix, factor in reversed(_BINARY.items()):
        if whole >= factor and whole % factor == 0:
            return f"{whole // factor}{suffix}"
    return str(whole)


def canonical(text: str | int | float) -> str:
    """As the API server prints a quantity that it read: "1000m" becomes "1", "1024Mi" becomes "1Gi"."""
    value = parse(text)
    if str(text).endswith("i"):
        return render(value, binary=True)
    if value != int(value):
        return render(value, binary=False)
    whole = int(value)
    for suffix, exponent in reversed(_DECIMAL.items()):
        if exponent > 0 and whole and whole % 10**exponent == 0 and not str(text).isdigit():
            return f"{whole // 10**exponent}{suffix}"
    return str(whole)
