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
    near_zero = compare(dict(enumerate([-1.0, 1.0, 0.5])), dict(enumerate([1.0, 2.0, 4.0])), relevant=0.02)
    assert outlook(near_zero, 0.02, verdict=True).startswith("More seeds, unless the base is 0")


def test_of_rare_events_and_of_few_that_agree() -> None:
    rare = compare(dict(enumerate([0, 0, 1])), dict(enumerate([0, 0, 3])), relevant=0.02, is_count=True)
    assert outlook(rare, 0.02, verdict=True).startswith("Many more seeds")
    few = compare({1: 80.12, 2: 81.3}, {1: 80.13, 2: 81.31}, relevant=0.02)
    assert outlook(few, 0.02, verdict=True) == "More seeds: so few may agree by chance."


def test_what_is_shown_needs_no_seeds_to_be_shown() -> None:
    found = compare(dict(enumerate([100.0, 101, 99])), dict(enumerate([104.0, 107.5, 106])), relevant=0.02)
    assert found.relevance == "open"
    assert outlook(found, 0.02, verdict=True).startswith("More seeds, which narrow the interval")
