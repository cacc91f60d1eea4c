"""Kubernetes quantities ("100m", "64Mi", "2Gi"): exact parsing, canonical printing."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal, InvalidOperation
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
    """The canonical text: the largest suffix that leaves a whole number (binary ones from 1024 on)."""
    if value == 0:
        return "0"
    if binary and abs(value) >= 1024 and value == int(value):
        return _with_suffix(int(value), {factor: suffix for suffix, factor in _BINARY.items()})
    scaled = (value.scaleb(9)).to_integral_value(ROUND_CEILING)  # nothing is finer than a billionth
    return _with_suffix(int(scaled), {10 ** (9 + exponent): suffix for suffix, exponent in _DECIMAL.items()})


def _with_suffix(whole: int, suffixes: dict[int, str]) -> str:
    for factor in sorted(suffixes, reverse=True):
        if whole % factor == 0:
            return f"{whole // factor}{suffixes[factor]}"
    return str(whole)


def canonical(text: str | int | float) -> str:
    """As the API server prints a quantity that it read: "1000m" becomes "1", "1000" "1k", "1024Gi" "1Ti".

    https://github.com/kubernetes/apimachinery/blob/master/pkg/api/resource/quantity.go, CanonicalizeBytes
    """
    value = parse(text)
    if re.search(r"[eE][+-]?[0-9]+$", str(text)):
        printed = render(value, binary=False)
        suffix = printed.lstrip("+-0123456789")
        return printed.removesuffix(suffix) + (f"e{_DECIMAL[suffix]}" if suffix else "")
    return render(value, binary=str(text).endswith("i"))
