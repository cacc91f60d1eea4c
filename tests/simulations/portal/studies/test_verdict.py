"""The answer at a glance: nothing that differs is said not to matter."""

import pytest

from simulations.portal.studies.verdict import headline
from simulations.studies.figures import Answer
from simulations.studies.kpis import FIGURES
from simulations.studies.statistics.study import CellRuns, Question, RunResult
from simulations.studies.statistics.summary import summarise

NOISE = (0.3, -0.8, 0.1, 1.1, -0.5, 0.6)


def answer(**figures: tuple[list[float], list[float]]) -> Answer:
    """Each figure's values in the base and in the other cell."""
    sides = [
        tuple(
            RunResult(seed, {name: values[side][seed] for name, values in figures.items()})
            for seed in range(len(NOISE))
        )
        for side in (0, 1)
    ]
    cells = [CellRuns("today", runs=sides[0]), CellRuns("lane", against="today", runs=sides[1])]
    question = Question(primary=tuple(figures))
    return Answer(cells, summarise(cells, list(FIGURES.values()), question), question, {})


LOUD = ([100 + x for x in NOISE], [100 + 1.02 * x + 0.1 * y for x, y in zip(NOISE, NOISE[::-1], strict=True)])


@pytest.mark.parametrize(
    "teleports, told",
    [
        (
            ([0] * 6, [5, 7, 6, 8, 4, 9]),
            "1 of 2 comparisons shows a difference that cannot be said in per cent (worse)",
        ),
        (([80] * 6, [88] * 6), "1 of 2 comparisons shows a difference that matters (worse)"),
        (([0] * 6, [0, 1, 0, 0, 0, 1]), "None of 2 comparisons shows a difference that matters"),
    ],
)
def test_what_differs_is_counted_whether_or_not_there_is_a_share_of_it(
    teleports: tuple[list[float], list[float]], told: str
) -> None:
    """By 6.5 teleports from none, and by a tenth in a scenario without chance in it."""
    said = headline(answer(mean_time_loss_s=LOUD, teleports=teleports), ended=12, total=12, final=True)
    assert said.startswith(told)
    assert "1 is too small to matter" in said
