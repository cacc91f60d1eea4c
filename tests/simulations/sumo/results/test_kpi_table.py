"""The table of KPIs, and all that has to agree with it."""

from simulations.api.shapes import KpisSerializer
from simulations.studies.kpis import DEFAULT_PRIMARY, FIGURES
from simulations.sumo.protocol.kpis import KPIS
from simulations.sumo.protocol.report import MAX_KPIS
from simulations.sumo.results.kpis import compute


def test_the_runner_computes_them_all_and_no_others() -> None:
    assert compute({}, None).keys() == KPIS.keys()
    assert len(KPIS) <= MAX_KPIS


def test_schema_and_statistics_have_them_all() -> None:
    assert list(KpisSerializer().fields) == list(FIGURES) == list(KPIS)
    assert KPIS.keys() >= set(DEFAULT_PRIMARY)


def test_a_row_agrees_with_itself() -> None:
    for name, kpi in KPIS.items():
        assert (kpi.aggregation == "count") == (kpi.unit == ""), name
        assert not kpi.is_rare or kpi.is_whole, name
        if kpi.unit:
            assert name.rsplit("_", 1)[1] == kpi.unit.replace("/", ""), name
        assert kpi.help.endswith("."), name
        assert kpi.aggregation not in ("mean", "p95") or name.startswith(kpi.aggregation), name


def test_for_people() -> None:
    assert KPIS["mean_speed_ms"].text(12.3456) == "44.4 km/h"
    assert KPIS["total_travel_time_s"].text(5400) == "1.5 h"
    assert KPIS["vehicles_inserted"].text(12345) == "12,345"
    assert KPIS["co2_kg"].title == "CO₂"


def test_what_is_over_trips_that_ended() -> None:
    of_trips = {name for name, kpi in KPIS.items() if kpi.is_of_trips}
    assert {"mean_travel_time_s", "p95_travel_time_s"} <= of_trips
    assert not of_trips & {"vehicles_inserted", "teleports", "co2_total_kg"}
