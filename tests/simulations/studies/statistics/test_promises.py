"""The promises of the intervals and of Holm's method, kept over 2,000 made-up studies."""

import random

from simulations.studies.statistics.comparison import compare
from simulations.studies.statistics.multiplicity import holm
from simulations.studies.statistics.sample import describe

STUDIES, SEEDS, CELLS = 2000, 10, 5


def test_coverage_and_family_wise_error() -> None:
    """No variant differs from the base, and each seed moves all cells alike a little: every rejection is false."""
    chance = random.Random(20_260)
    covered = intervals = wrong = 0
    for _ in range(STUDIES):
        common = [chance.gauss(0, 1) for _ in range(SEEDS)]
        cells = [{seed: 100 + common[seed] + chance.gauss(0, 2) for seed in range(SEEDS)} for _ in range(CELLS)]
        for cell in cells[:2]:
            ci = describe(list(cell.values())).ci
            assert ci is not None
            covered += ci.contains(100.0)
            intervals += 1
        p_values = holm([compare(cells[0], other).p for other in cells[1:]])
        wrong += any(p is not None and p <= 0.05 for p in p_values)
    assert 0.94 <= covered / intervals <= 0.96
    assert wrong / STUDIES < 0.055


def test_simultaneous_intervals_hold_together() -> None:
    chance = random.Random(7)
    missed = 0
    for _ in range(STUDIES):
        cells = [{seed: chance.gauss(50, 3) for seed in range(SEEDS)} for _ in range(CELLS)]
        found = [compare(cells[0], other, family=CELLS - 1).ci_simultaneous for other in cells[1:]]
        missed += any(ci is None or not ci.contains(0.0) for ci in found)
    assert missed / STUDIES < 0.055
