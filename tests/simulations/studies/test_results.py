"""Summary, tables, report and archive of a study."""

import csv
import io
import json
import math
import re
import zipfile
from typing import Any

import pytest
import scipy
from pyarrow import parquet

from simulations.models import Job
from simulations.studies.exports.tables import harmless
from simulations.studies.kpis import FIGURES
from simulations.studies.models import Study
from simulations.sumo.protocol.report import figures
from tests.simulations.studies.conftest import kpis_of, passes

pytestmark = pytest.mark.django_db


def get(api: Any, study: Study, what: str) -> str:
    answer = api.get(f"/studies/{study.pk}/{what}")
    assert answer.status_code == 200
    return b"".join(answer.streaming_content if answer.streaming else [answer.content]).decode()


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def done(submit: Any, cluster: Any) -> Study:
    study = submit(seeds={"first": 1, "count": 8})
    cluster.run()
    study.refresh_from_db()
    return study


def test_the_summary_is_scipys_from_runs_csv(api: Any, done: Study) -> None:
    """Recomputed from the exported runs by an independent way: equal to 1e-9."""
    runs = table(get(api, done, "runs.csv"))
    of = {
        cell: {int(run["seed"]): float(run["mean_travel_time_s"]) for run in runs if run["cell"] == cell}
        for cell in ("today", "lane")
    }
    told = json.loads(get(api, done, "summary"))
    for cell in told["cells"]:
        values, known = list(of[cell["cell"]].values()), cell["kpis"]["mean_travel_time_s"]
        low, high = scipy.stats.t.interval(
            0.95, len(values) - 1, loc=math.fsum(values) / 8, scale=scipy.stats.sem(values)
        )
        assert known["n"] == 8
        assert known["ci"] == pytest.approx([low, high], rel=1e-9)
        assert known["sd"] == pytest.approx(float(scipy.stats.tstd(values)), rel=1e-9)
    [compared] = [each for each in told["comparisons"] if each["kpi"] == "mean_travel_time_s"]
    expected = scipy.stats.ttest_rel(
        [of["lane"][seed] for seed in range(1, 9)], [of["today"][seed] for seed in range(1, 9)]
    )
    low, high = expected.confidence_interval(0.95)
    assert compared["ci"] == pytest.approx([low, high], rel=1e-9)
    assert compared["p_holm"] == pytest.approx(float(expected.pvalue), rel=1e-9)
    assert (compared["direction"], compared["relevance"], told["final"]) == ("worse", "relevant", True)
    assert compared["sentence"].startswith("mean travel time, lane against today: +")


def test_a_summary_before_the_end(api: Any, submit: Any, cluster: Any) -> None:
    study = submit()
    passes()
    cluster.end_all()
    passes()
    told = json.loads(get(api, study, "summary"))
    assert (told["final"], told["seeds"]["paired"]) == (False, [1])
    assert told["cells"][0]["kpis"]["mean_travel_time_s"]["note"] == "one run shows no spread"


def test_of_a_study_that_has_just_begun(api: Any, submit: Any) -> None:
    study = submit()
    told = json.loads(get(api, study, "summary"))
    assert (told["cells"][0]["kpis"], told["comparisons"]) == ({}, [])
    for name in ("runs.csv", "summary.csv", "comparisons.csv", "report.html"):
        assert get(api, study, name)


@pytest.mark.parametrize("told", [(1e308, -1e308), (1e15, -1e15), (1e-100, 5e-324), (2**63 - 1, 0)])
def test_figures_that_no_run_measures(api: Any, submit: Any, cluster: Any, told: tuple[float, float]) -> None:
    """As a pod may report them; they reach a study as they are read from a report."""
    study = submit(seeds={"first": 1, "count": 6})
    cluster.run(lambda job: figures(dict.fromkeys(FIGURES, told[job.scenario_data["seed"] % 2])))
    for part in ("summary", "report.html", "comparisons.csv", "runs.parquet"):
        answer = api.get(f"/studies/{study.pk}/{part}")
        assert answer.status_code == 200
        assert b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_confidence_is_asked_for(api: Any, done: Study) -> None:
    narrow, wide = (json.loads(get(api, done, f"summary?confidence={c}")) for c in (0.8, 0.99))
    widths = [each["cells"][0]["kpis"]["mean_travel_time_s"]["half_width_rel"] for each in (narrow, wide)]
    assert widths[0] < widths[1]
    assert api.get(f"/studies/{done.pk}/summary?confidence=1").status_code == 400


def test_an_identical_variant(api: Any, submit: Any, cluster: Any) -> None:
    study = submit(variants=[{"name": "today"}, {"name": "twin"}], seeds={"first": 1, "count": 5})
    cluster.run()
    told = json.loads(get(api, study, "summary"))
    assert {each["direction"] for each in told["comparisons"] if each["primary"]} == {"identical"}


def test_excluded_runs_are_named(api: Any, submit: Any, cluster: Any) -> None:
    study = submit(max_failed_share=1)
    cluster.run(lambda job: "OUT_OF_MEMORY" if job.scenario_data["seed"] == 3 else kpis_of(job))
    told = json.loads(get(api, study, "summary"))
    assert [(entry["cell"], entry["seed"], entry["reason"]) for entry in told["seeds"]["excluded"]] == [
        ("today", 3, "OUT_OF_MEMORY"),
        ("lane", 3, "OUT_OF_MEMORY"),
    ]
    assert told["seeds"]["paired"] == [1, 2]


def test_tables(api: Any, submit: Any, cluster: Any) -> None:
    study = submit(sweep={"scale": [1.0, 1.05]})
    cluster.run()
    runs = table(get(api, study, "runs.csv"))
    assert len(runs) == 12
    assert {run["scale"] for run in runs} == {"1.0", "1.05"}
    job = Job.objects.get(pk=runs[0]["job_id"])
    assert float(runs[0]["mean_time_loss_s"]) == job.results["kpis"]["mean_time_loss_s"]
    rows = table(get(api, study, "summary.csv"))
    assert {row["cell"] for row in rows} == {f"{v}, scale={s}" for v in ("today", "lane") for s in ("1", "1.05")}
    assert rows[0]["not_inserted"] == "1.0"
    pairs = table(get(api, study, "comparisons.csv"))
    primary = [row for row in pairs if row["primary"] == "true"]
    assert len(primary) == 3
    assert all(row["p_holm"] for row in primary)


def test_parquet_has_the_runs_with_types(api: Any, submit: Any, cluster: Any, monkeypatch: Any) -> None:
    study = submit(sweep={"scale": [1.0, 1.05], "ignore-route-errors": [True], "default.speeddev": [0.1]})
    cluster.run(lambda job: "OUT_OF_MEMORY" if job.scenario_data["seed"] == 3 else kpis_of(job))
    answer = api.get(f"/studies/{study.pk}/runs.parquet")
    rows = parquet.read_table(io.BytesIO(b"".join(answer))).to_pylist()
    for row, plain in zip(rows, table(get(api, study, "runs.csv")), strict=True):
        told = {name: str(value).lower() if isinstance(value, bool) else value for name, value in row.items()}
        told["finished_at"] = row["finished_at"].isoformat()
        assert {name: "" if value is None else str(value) for name, value in told.items()} == plain | {
            name: str(float(plain[name])) for name, value in row.items() if isinstance(value, float)
        }
    assert (rows[0]["scale"], rows[0]["ignore-route-errors"], rows[0]["seed"]) == (1.0, True, 1)
    monkeypatch.setattr("simulations.studies.exports.parquet.find_spec", lambda name: None)
    answer = api.get(f"/studies/{study.pk}/runs.parquet")
    assert (answer.status_code, answer.json()["error"]["code"]) == (406, "export.no_parquet")


def test_a_summary_is_kept_until_a_run_changes(api: Any, done: Study, statements: list[str]) -> None:
    first = get(api, done, "summary")
    statements.clear()
    assert get(api, done, "summary") == first
    assert sum("study_runs" in each for each in statements) == 1
    Study.objects.filter(pk=done.pk).update(name="another name")
    assert json.loads(get(api, done, "summary"))["name"] == "another name"
    run = done.runs.get(place=0)
    run.kpis |= {"mean_travel_time_s": 1e6}
    run.save()
    assert json.loads(get(api, done, "summary"))["cells"][0]["kpis"]["mean_travel_time_s"]["max"] == 1e6


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_texts_that_begin_like_formulas_are_disarmed(text: str) -> None:
    assert harmless(text) == "'" + text


@pytest.mark.parametrize("value", [-1.5, 3, None, "lane", "a=b", ""])
def test_other_values_are_left_alone(value: Any) -> None:
    assert harmless(value) == value


def test_names_of_cells_are_disarmed(api: Any, submit: Any, cluster: Any) -> None:
    study = submit(variants=[{"name": '=HYPERLINK("http://evil")'}, {"name": "b"}])
    cluster.run()
    for name in ("runs.csv", "summary.csv", "comparisons.csv"):
        for row in csv.reader(io.StringIO(get(api, study, name))):
            assert not any(re.match(r"[=+@]", value) for value in row), name


def test_the_report_stands_alone(api: Any, submit: Any, cluster: Any) -> None:
    study = submit(name="<script>alert(1)</script>", max_failed_share=1)
    cluster.run(lambda job: "TIME_LIMIT" if job.scenario_data["seed"] == 3 else kpis_of(job))
    answer = api.get(f"/studies/{study.pk}/report.html")
    text = answer.content.decode()
    assert "<script" not in text
    assert not re.search(r"""(src|href)\s*=|@import|url\(""", text)
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    for expected in ("<svg", "lane against today", "TIME_LIMIT", "Holm", "sha256", "1.28.0", "Seeds: 1, 2, 3."):
        assert expected in text, expected


def test_everything_as_one_zip(api: Any, done: Study) -> None:
    answer = api.get(f"/studies/{done.pk}/archive.zip")
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as packed:
        assert packed.testzip() is None
        assert set(packed.namelist()) == {
            "study.json", "summary.json", "runs.csv", "summary.csv", "comparisons.csv", "report.html",
        }  # fmt: skip
        assert packed.read("runs.csv").decode() == get(api, done, "runs.csv")
        assert json.loads(packed.read("study.json"))["seeds"] == done.seeds


def test_runs_are_listed_a_page_at_a_time(api: Any, done: Study) -> None:
    first = api.get(f"/studies/{done.pk}/runs?limit=10").json()
    rest = api.get(f"/studies/{done.pk}/runs?limit=10&after={first['next']}").json()
    assert (len(first["runs"]), len(rest["runs"]), rest["next"]) == (10, 6, None)
    assert len(api.get(f"/studies/{done.pk}/runs", {"cell": "lane"}).json()["runs"]) == 8
