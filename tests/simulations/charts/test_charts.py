"""Every chart: well-formed, nothing of others unescaped, gaps stay gaps, all numbers in its table."""

import re
from xml.etree import ElementTree as ET

import pytest

from simulations.charts.chart import Chart
from simulations.charts.curves import Curve, CurvePoint, curves
from simulations.charts.dots import DotRow, dot_plot
from simulations.charts.forest import ForestRow, forest_plot
from simulations.charts.plane import Plane
from simulations.charts.scale import Scale
from simulations.charts.shares import Histogram, cumulated_shares
from simulations.charts.slopes import slopes

EVIL = "<script>\"&\x01'" + "x" * 300


def seconds(value: float) -> str:
    return f"{value:.1f} s"


CHARTS: dict[str, Chart] = {
    "dots": dot_plot(
        EVIL,
        [DotRow("today", {1: 80.0, 2: 82.0, 3: 81.0}, 81.0, (78.5, 83.5)), DotRow(EVIL)],
        unit=EVIL, text=seconds, interval="95 % interval",
    ),
    "no dots": dot_plot("none", [], unit="", text=seconds, interval="95 % interval"),
    "forest": forest_plot(
        EVIL,
        [
            ForestRow("a", 0.031, (0.02, 0.042), "worse"), ForestRow(EVIL, 0.001, (-2.0, 2.0), "unclear"),
            ForestRow("c", None, None, "undecided"),
        ],
        matters=0.02, interval="95 % interval",
    ),
    "slopes": slopes(
        EVIL, (EVIL, {1: 5.0, 2: 6.0, 3: 1.0}), ("b", {1: 4.0, 2: 6.0, 9: 9.0}),
        unit="s", text=seconds, better="lower",
    ),
    "curves": curves(
        EVIL,
        [Curve(EVIL, tuple(CurvePoint(x, None if x == 2 else float(x), (x - 1.0, x + 1.0)) for x in range(5)))] * 8,
        x_unit="time", y_unit="m/s", text=seconds, band="range", marks=True,
    ),
    "no curves": curves("none", [], x_unit="s", y_unit="s", text=seconds, times=True),
}  # fmt: skip


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS.keys())
def test_is_sound(chart: Chart) -> None:
    root = ET.fromstring(chart.svg)
    assert root.get("role") == "img"
    assert root.get("aria-label", "").startswith(chart.title[:5])
    for node in root.iter():
        assert "style" not in node.attrib
        assert not any(name.startswith("on") for name in node.attrib)
        assert node.tag != "script"
    assert all(len(row) == len(chart.columns) for row in chart.rows)
    assert not re.search(r"nan|inf[^o]", chart.svg.replace("interval", ""))


def test_dots_say_their_seed_and_the_table_has_all() -> None:
    assert "<title>seed 2: 82.0 s</title>" in CHARTS["dots"].svg
    assert CHARTS["dots"].rows[0] == ("today", "3", "81.0 s", "78.5 s to 83.5 s", "80.0 s", "82.0 s")


def test_forest_cuts_what_goes_on_for_ever_and_says_so() -> None:
    chart = CHARTS["forest"]
    assert chart.svg.count('class="chart-range chart-unclear"') == 3  # the line and two arrows
    assert [row[1:] for row in chart.rows][:2] == [
        ("+3.1 %", "+2.0 % to +4.2 %", "worse"), ("+0.1 %", "−200.0 % to +200.0 %", "unclear")
    ]  # fmt: skip


def test_slopes_pair_by_seed() -> None:
    assert [key.text for key in CHARTS["slopes"].legend] == ["1 seed better", "1 seed unchanged"]
    assert [row[0] for row in CHARTS["slopes"].rows] == ["1", "2"]


def test_a_gap_is_a_gap() -> None:
    plane = Plane(Scale(0, 4), Scale(0, 10))
    path = ET.fromstring(plane.line([(0, 1.0), (1, 2.0), (2, None), (3, 3.0), (4, 4.0)], "c")).get("d", "")
    assert path.count("M") == 2
    assert CHARTS["curves"].rows[2][1] == "–"


def test_shares_of_runs_with_other_bins() -> None:
    [curve] = cumulated_shares([("a", [Histogram(10, (5, 5)), Histogram(5, (0, 0, 10))]), ("none", [Histogram(1, ())])])
    by_place = {point.x: point for point in curve.points}
    assert by_place[0].y == 0
    assert by_place[10].band == (0.0, 50.0)
    assert (by_place[15].y, by_place[20].y) == (87.5, 100)


def test_lines_tell_their_values_under_the_pointer() -> None:
    lines = [
        Curve("a", (CurvePoint(0, 1.0), CurvePoint(60, None))),
        Curve("b", (CurvePoint(0, 2.0), CurvePoint(60, None))),
    ]
    chart = curves("t", lines, x_unit="time", y_unit="s", text=seconds, times=True)
    assert [title.text for title in ET.fromstring(chart.svg).iter("title")] == [
        "0:00: a 1.0 s; b 2.0 s", "0:01: nothing measured",
    ]  # fmt: skip
