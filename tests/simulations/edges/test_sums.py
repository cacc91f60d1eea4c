import random
from array import array

import pytest
import scipy

from simulations.edges import sums
from simulations.edges.metrics import Traffic
from simulations.sumo.protocol.edge_file import TIME_LOSS
from tests.simulations.edges.conftest import FIRST, SECOND, edge_file


def traffic(values):
    return Traffic(lambda name: values, [1.0] * len(values), [1.0] * len(values), 900.0)


def test_tests_agree_with_scipy():
    dice = random.Random(4)
    shifts = [0.0] * 60 + [0.5] * 20 + [3.0] * 20
    pairs = [([dice.gauss(shift, 1) for shift in shifts], [dice.gauss(0, 1) for _ in shifts]) for _ in range(8)]
    kept = array("f")
    for run, base in pairs:
        kept = sums.with_pair(kept, traffic(run), traffic(base), range(len(shifts)), [TIME_LOSS])
    p = [
        scipy.stats.ttest_rel([run[e] for run, _ in pairs], [base[e] for _, base in pairs]).pvalue
        for e in range(len(shifts))
    ]
    expected = [bool(value <= 0.05) for value in scipy.stats.false_discovery_control(p)]
    assert 10 < sum(expected) < 40
    assert sums.significant(kept, len(shifts), [TIME_LOSS], TIME_LOSS) == expected


@pytest.mark.parametrize(
    "differences, expected",
    [
        ([[1.0]], False),
        ([[1.0], [1.0]], False),
        ([[0.0], [0.0]], False),
        ([[5.0], [5.01], [4.99]], True),
        ([[None], [2.0]], False),
    ],
)
def test_edge_cases(differences, expected):
    kept = array("f")
    for values in differences:
        kept = sums.with_pair(kept, traffic(values), traffic([0.0]), [0], [TIME_LOSS])
    assert sums.significant(kept, 1, [TIME_LOSS], TIME_LOSS) == [expected]


def test_edges_are_matched_by_place():
    kept = sums.with_pair(array("f"), traffic([5.0, 6.0]), traffic([1.0]), [-1, 0], [TIME_LOSS])
    assert list(kept) == [0, 1, 0, 5, 0, 0]


def test_a_longer_run_has_more_intervals():
    short, long = edge_file(FIRST), edge_file(FIRST, SECOND)
    start = array("f")
    both = sums.added(sums.added(start, short), long)
    assert list(sums.column_of(both, 3, long.columns, TIME_LOSS, 0)) == [720, 0, 72]
    assert list(sums.column_of(both, 3, long.columns, TIME_LOSS, None)) == [720, 72, 72]
    assert sums.joined(*sums.joined([], [], short), long) == ([[0, 900], [900, 1800]], [1800, 900])
    assert sums.joined([[100, 900]], [800.0], long) is None
    assert sums.joined([[0, 1800]], [1800.0], long) is None  # see `bounded`


def test_what_would_be_too_much_is_kept_as_one_interval(monkeypatch):
    monkeypatch.setattr(sums, "MAX_VALUES", 10)
    whole = sums.bounded(edge_file(FIRST, SECOND))
    assert whole.intervals == [(0, 1800)]
    assert list(whole.column(TIME_LOSS, 0)) == [360, 72, 36]
