"""Whatever ended how: one seed, values that do not vary, missing figures, unequal seeds, failures on one side."""

from hypothesis import given, settings
from hypothesis import strategies as st

from simulations.studies.statistics.comparison import Method
from simulations.studies.statistics.study import CellRuns, Figure, Question, RunResult
from simulations.studies.statistics.summary import summarise

TRAVEL, SPEED = Figure("travel", "travel time", "s", 1, "lower"), Figure("speed", "speed", "m/s", 1, "higher")
VALUES = st.one_of(st.none(), st.just(5.0), st.integers(0, 400).map(lambda tenths: tenths / 10))
RUN = st.tuples(st.booleans(), VALUES, VALUES)
CELL = st.dictionaries(st.integers(1, 8), RUN, max_size=8)


def cell(name: str, runs: dict[int, tuple[bool, float | None, float | None]], against: str | None) -> CellRuns:
    results = [
        RunResult(
            seed, {"travel": travel, "speed": speed} if succeeded else {}, succeeded, "" if succeeded else "FAILED"
        )
        for seed, (succeeded, travel, speed) in runs.items()
    ]
    return CellRuns(name, name, against, runs=tuple(results))


@settings(max_examples=40, deadline=None)
@given(CELL, CELL, st.floats(0, 1))
def test_no_more_is_said_than_the_runs_carry(first, second, most_failed) -> None:
    cells = [cell("base", first, None), cell("other", second, "base")]
    question = Question(primary=("travel",), max_failed_share=most_failed)
    found = summarise(cells, [TRAVEL, SPEED], question)
    for each in cells:
        for name, known in found.cells[each.name].items():
            values = [run.kpis[name] for run in each.runs if run.succeeded and run.kpis[name] is not None]
            assert known.n == len(values)  # per figure
            assert (known.mean is None) == (not values)
            if len(set(values)) < 2:
                assert known.ci is None
                assert known.n_needed is None
            else:
                assert known.ci is not None
                assert known.ci.contains(known.mean)
    for compared in found.comparisons:
        both = [each.values(compared.figure.name) for each in cells]
        common = both[0].keys() & both[1].keys()
        if compared.found.method is Method.PAIRED:
            assert compared.found.n == len(common) >= 2
        else:
            assert len(common) < 2
            assert (compared.found.method is Method.WELCH) == (min(map(len, both)) >= 2)
        if not compared.primary or not found.verdict:
            assert (compared.direction, compared.relevance) == (None, None)
        if compared.found.identical:
            assert compared.found.p is None
        assert compared.sentence.endswith(".")
