"""Reports of runs: the runner writes only what the reader takes, and the reader takes nothing else."""

import io
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulations.sumo.protocol import strict_json
from simulations.sumo.protocol.endings import Outcome
from simulations.sumo.protocol.problems import Problem
from simulations.sumo.protocol.report import MAX_MESSAGE_BYTES, RunReport, read_manifest, read_message
from simulations.sumo.protocol.report import figures as figures_of
from simulations.sumo.results import kpis
from simulations.sumo.results.trips import read_trips
from simulations.sumo.run.report import Console, Report

ANY_TEXT = st.text(st.characters(codec=None), max_size=400)
NUMBERS = st.integers() | st.floats() | st.none()
ANY_JSON = st.recursive(
    NUMBERS | st.booleans() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=20,
)
TELLING = st.fixed_dictionaries(
    {"outcome": st.sampled_from([*Outcome, "newer", "", None, 7])},
    optional={
        name: ANY_JSON | st.lists(st.fixed_dictionaries({"code": ANY_TEXT, "message": ANY_TEXT | ANY_JSON}), max_size=3)
        for name in (*RunReport.__annotations__, "run", "sumo", "warnings")
        if name != "outcome"
    },
)


def check(report: RunReport | None) -> None:
    """It is as its types say, and PostgreSQL's jsonb takes it."""
    if report is None:
        return
    assert set(report) == set(RunReport.__annotations__)
    assert json.loads(json.dumps(report, allow_nan=False).encode()) == report
    assert "\\u0000" not in json.dumps(report)
    json.dumps(report, ensure_ascii=False).encode()  # half a surrogate pair would raise
    for value in (*report["kpis"].values(), report["wall_s"], report["sim_end"]):
        assert value is None or (isinstance(value, int | float) and math.isfinite(value))
    for problem in report["errors"]:
        assert all(isinstance(part, str) for part in problem.values())


@settings(max_examples=60)
@given(ANY_JSON | TELLING)
def test_any_json_gives_a_sound_report_or_none(told: Any) -> None:
    text = json.dumps(told)
    check(read_message(text))
    if manifest := read_manifest(text.encode()):
        check(manifest["report"])


@pytest.mark.unmeasured
@given(st.text() | st.binary())
def test_any_bytes_give_a_sound_report_or_none(data: str | bytes) -> None:
    text = data if isinstance(data, str) else data.decode("latin-1")
    check(read_message(text))
    assert read_manifest(data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")) is None


@pytest.mark.parametrize(
    "text",
    [
        '{"outcome":' + "[" * 4000,
        '{"outcome":"succeeded","kpis":' + '{"a":' * 500 + "1" + "}" * 501,
        '{"outcome":"succeeded","x":"' + "x" * 5000 + '"}',
        '{"outcome":"succeeded","files":' + "9" * 4050 + "}x",
        '{"event":"phase"}',
        "[]",
        "null",
        "",
        '"outcome"',
    ],
)
def test_no_report(text: str) -> None:
    assert read_message(text) is None
    assert read_manifest(b"[" * 100_000 + text.encode()) is None


def test_figures_that_are_no_numbers_are_null_and_bad_characters_are_marked() -> None:
    text = (
        '{"outcome":"succeeded","uploaded":true,"kpis":{"a":NaN,"b":-Infinity,"c":1e999,"d":true,"e":"1","f":2,'
        f'"g":{2**70},"Bad name":1}},"errors":[{{"code":"c","message":"a\\u0000b\\ud800c"}},{{"code":"c"}},7,'
        '{"code":"d","message":"m","where":"w","hint":""},{"code":"e","message":"","hint":"h"}],'
        '"sim_end":NaN,"reason":5,"files":-1}'
    )
    report = read_message(text)
    assert report is not None
    assert report["kpis"] == {"a": None, "b": None, "c": None, "d": None, "e": None, "f": 2, "g": None}
    assert report["errors"] == [
        {"code": "c", "message": "a�b�c"},
        {"code": "d", "message": "m", "where": "w"},
        {"code": "e", "message": "", "hint": "h"},
    ]
    assert (report["uploaded"], report["sim_end"], report["reason"], report["files"]) == (True, None, None, 0)


@settings(max_examples=80, deadline=None)
@given(
    figures=st.dictionaries(st.sampled_from(["co2_kg", "teleports"]), NUMBERS),
    errors=st.lists(st.builds(Problem, st.text(max_size=90), ANY_TEXT, st.none() | ANY_TEXT), max_size=7),
)
def test_the_runner_writes_only_what_the_reader_takes(
    figures: Any, errors: list[Problem], tmp_path_factory: pytest.TempPathFactory
) -> None:
    stream = io.StringIO()
    console = Console(stream)
    report = Report(outcome=Outcome.SUMO_FAILED, errors=errors, kpis=figures)
    path = tmp_path_factory.getbasetemp() / "message"
    report.write_termination_message(path)
    content = path.read_bytes()
    assert len(content) <= MAX_MESSAGE_BYTES
    read = read_message(content.decode())
    assert read is not None
    assert read["outcome"] == "sumo_failed"
    assert set(read["kpis"]) == set(figures)
    console.result(report.summary())
    console.progress({"rtf": math.inf, "mean_speed": math.nan})
    for line in stream.getvalue().splitlines():
        json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_figures_have_bounds() -> None:
    """Beyond them squares of differences, and shares of them, are no numbers any more."""
    told = {"a": 10**16, "b": -1e308, "c": 1.7e308, "d": 5e-324, "e": -1e-101, "f": 1e15, "g": -(10**15), "h": 0.5}
    assert figures_of(told) == {"a": None, "b": None, "c": None, "d": 0, "e": 0, "f": 1e15, "g": -(10**15), "h": 0.5}


def test_nothing_of_ours_is_nested_for_ever() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(ValueError, match="nested deeper"):
        strict_json.dumps(endless)


def test_what_sumo_calls_nan_is_not_measured(tmp_path: Path) -> None:
    """`speedFactor="nan"` makes SUMO write CO2_abs="nan"; the other figures stand."""
    trip = (
        '<tripinfo id="{0}" arrival="9" duration="{1}" routeLength="90" timeLoss="1" waitingTime="0" departDelay="0">'
        '<emissions CO2_abs="{2}" NOx_abs="3" PMx_abs="4" fuel_abs="inf"/></tripinfo>'
    )
    path = tmp_path / "tripinfo.xml"
    path.write_text(f"<tripinfos>{trip.format('a', 9, 'nan')}{trip.format('b', 11, '5')}</tripinfos>")
    figures, odd = kpis.without_not_finite(kpis.compute({"vehicles": {"inserted": "nan"}}, read_trips(path)))
    assert odd == ["co2_kg", "fuel_kg"]
    assert (figures["co2_kg"], figures["fuel_kg"], figures["vehicles_inserted"]) == (None, None, None)
    assert (figures["mean_travel_time_s"], figures["nox_g"]) == (10.0, 0.006)
    path.write_text(f"<tripinfos>{trip.format('a', '-inf', '1')}{trip.format('b', 'inf', '5')}</tripinfos>")
    trips = read_trips(path)
    figures, _ = kpis.without_not_finite(kpis.compute({}, trips))
    assert (figures["mean_travel_time_s"], figures["p95_travel_time_s"], figures["trips_finished"]) == (None, None, 2)
    assert kpis.histogram(trips.travel_times)["counts"] == []
