"""Every figure of summary.csv and comparisons.csv, made again by scipy from runs.csv alone: equal to 1e-9."""

import math
import random
from collections.abc import Mapping
from typing import Any

import pytest
import scipy

from simulations.studies.statistics.comparison import compare
from tests.simulations.studies.conftest import kpis_of
from tests.simulations.studies.test_results import get, table

pytestmark = pytest.mark.django_db
PRIMARY = ["mean_travel_time_s", "mean_time_loss_s"]
ALPHA = 0.05
Values = dict[tuple[str, str], dict[int, float]]  # (cell, figure) → seed → value


def values_of(runs: list[dict[str, str]]) -> Values:
    found: Values = {}
    for run in runs:
        if run["status"] == "SUCCEEDED":
            for name in PRIMARY:
                found.setdefault((run["cell"], name), {})[int(run["seed"])] = float(run[name])
    return found


def described(values: list[float]) -> dict[str, float]:
    low, high = scipy.stats.t.interval(
        1 - ALPHA, len(values) - 1, math.fsum(values) / len(values), scipy.stats.sem(values)
    )
    mean, sd = math.fsum(values) / len(values), float(scipy.stats.tstd(values))
    return {"n": len(values), "mean": mean, "sd": sd, "cv": sd / mean, "ci_low": low, "ci_high": high,
            "half_width_rel": (high - low) / 2 / mean, "min": min(values), "max": max(values)}  # fmt: skip


def compared(base: Mapping[int, float], other: Mapping[int, float], family: int) -> dict[str, float]:
    seeds = sorted(base.keys() & other.keys())
    first, second = ([side[seed] for seed in seeds] for side in (base, other))
    test = scipy.stats.ttest_rel(second, first)
    (low, high), wide = test.confidence_interval(1 - ALPHA), test.confidence_interval(1 - ALPHA / family)
    mean = math.fsum(second) / len(seeds) - math.fsum(first) / len(seeds)
    return {"n": len(seeds), "difference": mean, "relative": mean / (math.fsum(first) / len(seeds)), "ci_low": low,
            "ci_high": high, "simultaneous_low": wide[0], "simultaneous_high": wide[1], "p": test.pvalue,
            "correlation": scipy.stats.pearsonr(first, second).statistic}  # fmt: skip


def test_all_of_it(api: Any, submit: Any, cluster: Any) -> None:
    variants = [
        {"name": "base"},
        {"name": "lane", "options": {"time-to-teleport": 120}},
        {"name": "more", "scale": 1.1},
    ]
    study = submit(variants=variants, seeds={"first": 1, "count": 12}, primary_kpis=PRIMARY)

    def fate(job: Any) -> Any:
        asked = job.scenario_data
        return "OUT_OF_MEMORY" if asked["seed"] == 5 and asked["options"] else kpis_of(job)

    cluster.run(fate)
    values = values_of(table(get(api, study, "runs.csv")))
    told = [row for row in table(get(api, study, "summary.csv")) if row["kpi"] in PRIMARY]
    assert len(told) == 6
    for row in told:
        expected = described(list(values[row["cell"], row["kpi"]].values()))
        assert {name: float(row[name]) for name in expected} == pytest.approx(expected, rel=1e-9)
    rows = [row for row in table(get(api, study, "comparisons.csv")) if row["primary"] == "true"]
    assert [int(row["n"]) for row in rows] == [11, 11, 12, 12]
    expected_rows = [compared(values["base", row["kpi"]], values[row["cell"], row["kpi"]], len(rows)) for row in rows]
    for row, expected in zip(rows, expected_rows, strict=True):
        assert {name: float(row[name]) for name in expected} == pytest.approx(expected, rel=1e-9, abs=1e-12)
    so_far = 0.0
    for rank, (row, expected) in enumerate(
        sorted(zip(rows, expected_rows, strict=True), key=lambda each: each[1]["p"])
    ):
        so_far = max(so_far, min(1.0, (len(rows) - rank) * expected["p"]))
        assert float(row["p_holm"]) == pytest.approx(so_far, rel=1e-9)


def test_nothing_changed_but_the_seeds_is_not_called_relevant() -> None:
    """The same scenario with seeds of its own on each side, as Welch has it; spread as measured on the sample."""

    chance = random.Random(12)
    verdicts = [
        compare(
            {seed: chance.gauss(170.6, 1.13) for seed in range(10)},
            {seed: chance.gauss(170.6, 1.13) for seed in range(100, 110)},
            relevant=0.02,
        ).relevance
        for _ in range(500)
    ]
    assert set(verdicts) <= {"open", "negligible"}
