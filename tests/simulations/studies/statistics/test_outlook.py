"""What would change a verdict."""

import pytest

from simulations.studies.statistics.comparison import Comparison, Method, compare
from simulations.studies.statistics.outlook import ENOUGH, outlook

BASE = {seed: 100.0 + seed % 3 for seed in range(10)}


def shifted(by: float, noise: float) -> dict[int, float]:
    return {seed: value + by + noise * (-1) ** seed for seed, value in BASE.items()}


@pytest.mark.parametrize(
    "other, begins",
    [
        (shifted(10, 1), "Only if a difference of 9.2 % did not matter"),
        (shifted(0, 1), "Only if a difference of 0.7 % mattered"),
        (shifted(2, 3), "About 12 more seeds: 22 in all"),
        (shifted(2, 1), ENOUGH),
        (shifted(10, 0), "No number of seeds"),
        ({1: 100.0}, "More seeds: too few runs"),
    ],
)
def test_outlook(other: dict[int, float], begins: str) -> None:
    found = compare(BASE, other, relevant=0.02)
    assert outlook(found, 0.02, verdict=True).startswith(begins)


def test_without_a_verdict_or_a_share() -> None:
    assert outlook(Comparison(Method.PAIRED, n=9), 0.02, verdict=False).startswith("Too many runs failed")
    assert outlook(Comparison(Method.PAIRED, n=9, difference=1.0), 0.02, verdict=True).startswith("An absolute")
