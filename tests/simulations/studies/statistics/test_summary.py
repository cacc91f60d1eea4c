"""A whole study, put together: exclusions, verdicts, sentences and flags."""

from dataclasses import replace

import pytest

from simulations.studies.statistics.comparison import Method, Relevance
from simulations.studies.statistics.sample import Precision
from simulations.studies.statistics.study import CellRuns, Figure, Question, RunResult
from simulations.studies.statistics.summary import Compared, Summary, summarise

TRAVEL = Figure("mean_travel_time_s", "mean travel time", "s", 1, "lower")
SPEED = Figure("mean_speed_ms", "mean speed", "m/s", 2, "higher")
TELEPORTS = Figure("teleports", "teleports", "", 0, "lower", is_count=True)
INSERTED = Figure("vehicles_inserted", "vehicles inserted", "", 0)
FIGURES = [TRAVEL, SPEED, TELEPORTS, INSERTED]
QUESTION = Question(primary=("mean_travel_time_s",))
NOISE = [0.3, -0.8, 0.1, 1.1, -0.5, 0.6, -0.2, -0.9, 0.7, 0.0]


def runs(mean: float, n: int = 10, first: int = 1, jitter: float = 0.0, **kpis: float) -> tuple[RunResult, ...]:
    return tuple(
        RunResult(
            seed=first + i,
            kpis={"mean_travel_time_s": mean + NOISE[i] + jitter * NOISE[-i - 1], "teleports": 0, **kpis},
            sumo_version="1.28.0",
        )
        for i in range(n)
    )


def study(*cells: CellRuns, question: Question = QUESTION) -> Summary:
    return summarise(list(cells), FIGURES, question)


def only(found: Summary, figure: str = "mean_travel_time_s") -> Compared:
    [compared] = [each for each in found.comparisons if each.figure.name == figure]
    return compared


BASE = CellRuns("today", "today", runs=runs(100))


def lane(*changed: RunResult) -> CellRuns:
    return CellRuns("lane", "lane", against="today", runs=tuple(changed))


def test_a_clear_difference() -> None:
    compared = only(study(BASE, lane(*runs(90, jitter=0.5))))
    assert (compared.direction, compared.relevance) == ("better", Relevance.RELEVANT)
    assert compared.sentence == (
        "mean travel time, lane against today: −10.0 s (−10.0 %). It is better, and by enough to matter "
        "(more than 2 %). 95 % interval: −10.2 s to −9.7 s, from 10 paired seeds."
    )


def test_higher_is_better_for_some() -> None:
    found = study(
        CellRuns("a", runs=tuple(RunResult(i, {"mean_speed_ms": 10 + i / 10}) for i in range(5))),
        CellRuns("b", against="a", runs=tuple(RunResult(i, {"mean_speed_ms": 12 + i / 9}) for i in range(5))),
        question=Question(primary=("mean_speed_ms",)),
    )
    assert only(found, "mean_speed_ms").direction == "better"


def test_an_identical_variant_is_identical() -> None:
    compared = only(study(BASE, lane(*BASE.runs)))
    assert (compared.direction, compared.found.identical, compared.relevance) == ("identical", True, None)
    assert compared.sentence == "mean travel time, lane against today: identical in every one of 10 paired seeds."


def test_a_constant_shift_is_told_without_a_test() -> None:
    compared = only(study(BASE, lane(*runs(103))))
    assert (compared.direction, compared.p_holm, compared.relevance) == ("worse", None, Relevance.RELEVANT)
    assert compared.sentence.endswith(
        "in every one of 10 paired seeds. It is worse, and by enough to matter (more than 2 %). The seed plays no part "
        "in it, so there is no test."
    )
    assert only(study(BASE, lane(*runs(101)))).relevance is Relevance.NEGLIGIBLE


@pytest.mark.parametrize(
    "figure, base, other, direction",
    [
        ("mean_travel_time_s", [80.12, 81.30], [80.13, 81.31], "unclear"),  # to the two digits that SUMO writes
        ("mean_travel_time_s", [80.0, 80.0], [88.0, 88.0], "worse"),  # without chance in it, two runs say all
        ("teleports", [3, 5], [4, 6], "unclear"),
        ("teleports", [0, 0], [1, 1], "unclear"),
        ("teleports", [0, 0, 0, 0, 0], [1, 1, 1, 1, 1], "worse"),
    ],
)
def test_a_difference_that_few_seeds_share_may_be_chance(
    figure: str, base: list[float], other: list[float], direction: str
) -> None:
    cells = [
        CellRuns(name, against=against, runs=tuple(RunResult(i, {figure: value}) for i, value in enumerate(values)))
        for name, against, values in (("a", None, base), ("b", "a", other))
    ]
    compared = only(study(*cells, question=Question(primary=(figure,))), figure)
    assert (compared.direction, compared.found.constant) == (direction, True)
    assert ("by chance" in compared.sentence) == (direction == "unclear")


def test_events_that_most_runs_have_none_of_are_not_tested() -> None:
    few, more = ([0, 0, 0, 0, 1, 0], [0, 1, 0, 2, 0, 0])
    cells = [
        CellRuns(
            name, against=against, runs=tuple(RunResult(i, {"teleports": value}) for i, value in enumerate(values))
        )
        for name, against, values in (("a", None, few), ("b", "a", more))
    ]
    compared = only(study(*cells, question=Question(primary=("teleports",))), "teleports")
    assert (compared.direction, compared.found.ci, compared.found.p) == ("unclear", None, None)
    assert compared.found.difference == pytest.approx(1 / 3)


def test_an_absolute_precision_is_asked_of_its_own_figure_only() -> None:
    """Two seconds on either side say nothing of metres per second: there the usual 5 % are asked for.

    The right values are scipy's: the smallest N with t(0.975, N - 1) · s / √N within the precision.
    """
    both = {i: {"mean_travel_time_s": 100 + NOISE[i], "mean_speed_ms": 1 + NOISE[i] / 4} for i in range(10)}
    cell = CellRuns("a", runs=tuple(RunResult(i, kpis) for i, kpis in both.items()))
    asked = Precision(None, 2.0, "mean_travel_time_s")
    found = summarise([cell], FIGURES, QUESTION, asked).cells["a"]
    usual = summarise([cell], FIGURES, QUESTION).cells["a"]
    assert found["mean_speed_ms"].n_needed == usual["mean_speed_ms"].n_needed == 44
    assert found["mean_travel_time_s"].n_needed == 3


def test_nothing_changed_is_never_relevant_nor_the_same() -> None:
    compared = only(study(BASE, lane(*runs(100, jitter=0.9))))
    assert compared.direction == "unclear"
    assert compared.relevance in {Relevance.NEGLIGIBLE, Relevance.OPEN}
    assert "no difference" not in compared.sentence
    assert "The runs do not show whether it is better or worse" in compared.sentence


def test_open_says_how_many_more_seeds() -> None:
    few = study(CellRuns("today", runs=runs(100, 3)), lane(*runs(101, 3, jitter=3)))
    compared = only(few)
    assert compared.relevance is Relevance.OPEN
    assert "more seeds would show a difference of 2 %, if there is one, in 4 of 5 studies." in compared.sentence
    assert "Weak evidence: fewer than 5 seeds." in compared.sentence


def test_other_figures_are_described_and_not_tested() -> None:
    found = study(
        CellRuns("today", runs=runs(100, mean_speed_ms=10.0)), lane(*runs(90, mean_speed_ms=12.0)), question=QUESTION
    )
    compared = only(found, "mean_speed_ms")
    assert (compared.primary, compared.p_holm, compared.direction, compared.relevance) == (False, None, None, None)


def test_failed_runs_leave_both_sides_of_a_pair() -> None:
    failed = RunResult(3, succeeded=False, why="TIME_LIMIT")
    changed = [failed if run.seed == 3 else run for run in runs(90, jitter=0.5)]
    compared = only(study(BASE, lane(*changed)))
    assert compared.found.n == 9


def test_kpis_of_a_failed_run_do_not_count() -> None:
    cell = CellRuns("a", runs=(RunResult(1, {"mean_travel_time_s": 1.0}, succeeded=False),))
    assert cell.values("mean_travel_time_s") == {}


def test_too_many_failures_give_no_verdict() -> None:
    changed = [replace(run, succeeded=False, why="OUT_OF_MEMORY") if run.seed > 4 else run for run in runs(90)]
    found = study(BASE, lane(*changed))
    assert not found.verdict
    assert only(found).direction is None
    assert only(found).sentence.endswith("no verdict, since too many runs failed.")
    [flag] = [flag for flag in found.flags if flag.code == "failures_clustered"]
    assert (flag.level, flag.cell, flag.seeds) == ("red", "lane", (5, 6, 7, 8, 9, 10))


def test_null_figures_count_per_figure() -> None:
    holes = [replace(run, kpis={**run.kpis, "mean_travel_time_s": None}) if run.seed < 3 else run for run in runs(100)]
    found = study(CellRuns("today", runs=tuple(holes)))
    assert found.cells["today"]["mean_travel_time_s"].n == 8
    assert found.cells["today"]["teleports"].n == 10


def test_unequal_seeds() -> None:
    found = study(BASE, lane(*runs(90, 6, first=3, jitter=0.5)))
    assert found.cells["lane"]["mean_travel_time_s"].n == 6
    assert only(found).found.n == 6


def test_no_common_seeds_is_welch_and_says_so() -> None:
    compared = only(study(BASE, lane(*runs(90, first=100, jitter=0.5))))
    assert compared.found.method is Method.WELCH
    assert "The runs share fewer than two seeds" in compared.sentence


def test_one_run_each() -> None:
    compared = only(study(CellRuns("today", runs=runs(100, 1)), lane(*runs(90, 1))))
    assert compared.sentence == "mean travel time: too few runs to compare lane with today (1 and 1 have it)."
    assert compared.direction == "unclear"


def test_the_family_is_all_comparisons_of_primary_figures() -> None:
    question = Question(primary=("mean_travel_time_s", "teleports"))
    found = study(BASE, lane(*runs(99, jitter=1)), replace(lane(*runs(98, jitter=1)), name="b"), question=question)
    assert found.family == 4
    p_values = [(each.found.p, each.p_holm) for each in found.comparisons if each.primary and each.found.p]
    assert all(adjusted is not None and adjusted >= p for p, adjusted in p_values)


@pytest.mark.parametrize(
    "kpis, code, level",
    [
        ({"vehicles_inserted": 1000, "teleports": 2}, "teleports", "yellow"),
        ({"vehicles_inserted": 1000, "teleports": 11}, "teleports", "red"),
        ({"vehicles_inserted": 980, "vehicles_waiting_at_end": 20}, "not_inserted", "yellow"),
        ({"vehicles_inserted": 900, "vehicles_waiting_at_end": 100}, "not_inserted", "red"),
        ({"vehicles_inserted": 900, "vehicles_waiting_at_end": 0, "vehicles_dropped": 100}, "dropped", "red"),
        ({"vehicles_inserted": 1000, "vehicles_running_at_end": 50}, "unfinished", "yellow"),
        ({"vehicles_inserted": 1000, "vehicles_running_at_end": 150}, "unfinished", "red"),
        ({"standstill_s": 600}, "gridlock", "red"),
    ],
)
def test_flags_of_a_cell(kpis: dict[str, float], code: str, level: str) -> None:
    [flag] = study(CellRuns("a", runs=runs(100, **kpis))).flags
    assert (flag.code, flag.level, flag.cell) == (code, level, "a")


@pytest.mark.parametrize(
    "setting, codes",
    [
        ({"begin": 0, "end": 100}, set()),
        ({"begin": 0, "end": 100, "window_begin": 10, "window_end": 90}, set()),
        ({"begin": 10, "end": 100, "window_begin": 10, "window_end": 90}, {"no_warm_up"}),
        ({"begin": 0, "end": 100, "window_end": 100}, {"no_warm_up", "no_cool_down"}),
        ({"begin": 0, "end": None, "window_begin": 10, "window_end": 90}, set()),
    ],
)
def test_flags_of_a_window(setting: dict[str, float], codes: set[str]) -> None:
    assert {flag.code for flag in study(CellRuns("a", setting=setting, runs=runs(100))).flags} == codes


def test_an_outlier_is_told_and_kept() -> None:
    odd = [replace(run, kpis={"mean_travel_time_s": 160.0}) if run.seed == 7 else run for run in runs(100)]
    found = study(CellRuns("a", runs=tuple(odd)))
    [flag] = [flag for flag in found.flags if flag.code == "outlier_seed"]
    assert flag.seeds == (7,)
    assert found.cells["a"]["mean_travel_time_s"].n == 10


def test_settings_and_versions_that_differ() -> None:
    other = [replace(run, sumo_version="1.27.0") for run in runs(90)]
    found = study(
        replace(BASE, setting={"step_length": 1.0}),
        replace(lane(*other), setting={"step_length": 0.5}),
    )
    assert {flag.code for flag in found.flags} >= {"sumo_version_differs", "step_length_differs"}


def test_trips_that_do_not_follow_demand() -> None:
    """acosta at +5 % demand: finished +1.9 %, not inserted +19 %."""
    base = CellRuns("1", setting={"scale": 1.0}, runs=runs(100, vehicles_inserted=9000, vehicles_waiting_at_end=50,
                                                     trips_finished=8000))  # fmt: skip
    more = CellRuns("1.05", against="1", setting={"scale": 1.05}, runs=runs(118, vehicles_inserted=9300,
                vehicles_waiting_at_end=202, trips_finished=8150))  # fmt: skip
    [flag] = [flag for flag in study(base, more).flags if flag.code == "trips_do_not_follow_demand"]
    assert flag.level == "red"
    same = replace(more, setting={"scale": 1.0})
    assert "demand_differs" in {flag.code for flag in study(base, same).flags}


def test_vehicles_that_were_dropped_were_loaded_too() -> None:
    """Two real runs of the same 3429 vehicles, without and with a `max-depart-delay`."""
    waits = CellRuns("waits", runs=runs(100, vehicles_inserted=1167, vehicles_waiting_at_end=2262))
    entered = {"vehicles_inserted": 1027, "vehicles_waiting_at_end": 0}
    drops = CellRuns("drops", against="waits", runs=runs(100, **entered, vehicles_dropped=2402))
    assert "demand_differs" not in {flag.code for flag in study(waits, drops).flags}
    fewer = replace(drops, runs=runs(100, **entered, vehicles_dropped=2302))
    assert "demand_differs" in {flag.code for flag in study(waits, fewer).flags}


def test_a_demand_that_was_counted_on_one_side_only_is_not_said_to_rise() -> None:
    """Below a scale of 1 SUMO's count of discarded vehicles has those in it that the scale thins out."""
    entered = {"vehicles_inserted": 1000, "vehicles_waiting_at_end": 0, "trips_finished": 1000}
    less = CellRuns("0.9", setting={"scale": 0.9}, runs=runs(100, **entered))
    more = CellRuns("1", against="0.9", setting={"scale": 1.0}, runs=runs(100, **entered, vehicles_dropped=500))
    assert "trips_do_not_follow_demand" not in {flag.code for flag in study(less, more).flags}
