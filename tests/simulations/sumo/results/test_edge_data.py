import time
import xml.etree.ElementTree as ET

import pytest

from simulations.sumo.inputs.net_geometry import NetGeometry
from simulations.sumo.protocol import edge_file
from simulations.sumo.results import edge_data
from simulations.sumo.results.edge_data import period_for, read_edge_data

ROW = '<edge id="{}" sampledSeconds="{}" speed="2.5" timeLoss="1" waitingTime="2" entered="3" departed="1" left="4"/>'
NET = NetGeometry(ids=["a", "b"], limits=[10.0, 10.0], lengths=[50.0, 60.0])


def written(tmp_path, intervals):
    rows = [f'<interval begin="{begin}" end="{end}">{ROW.format("b", 8)}</interval>' for begin, end in intervals]
    (tmp_path / edge_data.TRAFFIC).write_text(f"<meandata>{''.join(rows)}</meandata>")
    return read_edge_data(tmp_path, NET, deadline=time.monotonic() + 5)


def test_edges_without_traffic_are_zero_and_an_empty_last_interval_is_none(tmp_path):
    found = written(tmp_path, [(0, 60), (60, 90), (90, 90)])
    assert found.intervals == [(0, 60), (60, 90)]
    assert [list(found.column(name)) for name in ("sampled_s", "distance_m", "entered", "left")] == [
        [0, 16], [0, 40], [0, 8], [0, 8],
    ]  # fmt: skip


def test_emissions_are_a_column_more_over_the_same_intervals(tmp_path):
    grams = '<edge id="{}" CO2_abs="{}"/>'
    rows = [f'<interval begin="{b}" end="{b + 60}">{grams.format("a", 1500 + b)}</interval>' for b in (0, 60)]
    (tmp_path / edge_data.EMISSIONS).write_text(f"<meandata>{''.join(rows)}{grams.format('gone', 9)}</meandata>")
    found = written(tmp_path, [(0, 60), (60, 120)])
    assert found.intervals == [(0, 60), (60, 120)]
    assert [list(found.column("co2_g", number)) for number in (0, 1)] == [[1.5, 0], [pytest.approx(1.56), 0]]
    assert list(found.column("sampled_s")) == [0, 16]


@pytest.mark.parametrize("emissions, types", [(False, [None]), (True, [None, "emissions"])])
def test_what_asks_sumo_for_it(emissions, types):
    asked = ET.fromstring(edge_data.additional_file(900.0, emissions=emissions))
    assert [each.get("type") for each in asked] == types
    assert {(each.tag, each.get("period"), each.get("excludeEmpty")) for each in asked} == {("edgeData", "900", "true")}
    assert [each.get("file") for each in asked] == [edge_data.TRAFFIC, edge_data.EMISSIONS][: len(types)]


def test_an_even_number_of_them_is_halved(tmp_path, monkeypatch):
    monkeypatch.setattr(edge_file, "MAX_INTERVALS", 4)
    found = written(tmp_path, [(60 * n, 60 * (n + 1)) for n in range(5)])
    assert found.intervals == [(0, 120), (120, 240), (240, 300)]


@pytest.mark.parametrize(
    "count, expected",
    [(3, [(0, 60), (60, 120), (120, 180)]), (4, [(0, 120), (120, 240)]), (5, [(0, 120), (120, 240), (240, 300)]),
     (8, [(0, 240), (240, 480)]), (11, [(0, 240), (240, 480), (480, 660)])],
)  # fmt: skip
def test_neighbours_are_joined_where_there_are_too_many(tmp_path, monkeypatch, count, expected):
    monkeypatch.setattr(edge_file, "MAX_INTERVALS", 3)
    found = written(tmp_path, [(60 * n, 60 * (n + 1)) for n in range(count)])
    assert found.intervals == expected
    assert sum(found.column("sampled_s")) == 8 * count


@pytest.mark.parametrize(
    "interval, duration, edges, expected",
    [(900, 3600, 100, 900), (900, None, 10**5, 900), (60, 86400, 10, 300), (900, 86400, 100_000, 9000)],
)
def test_an_interval_is_lengthened_beforehand_where_the_end_is_known(interval, duration, edges, expected):
    assert period_for(interval, duration, edges) == expected
