"""From a request to cells; no database."""

from typing import Any

import pytest

from simulations.studies.expansion import Expansion, expand

BASE = {"scenario_id": "town", "options": {"time-to-teleport": 60}, "labels": {"who": "me"}}


def made(variants: list[dict[str, Any]] | None = None, sweep: dict[str, list[Any]] | None = None,
         baseline: str | None = None, base: dict[str, Any] = BASE) -> Expansion:  # fmt: skip
    return expand(base, variants or [], sweep or {}, baseline)


def against(found: Expansion) -> dict[str, str | None]:
    return {c.name: None if c.against is None else found.cells[c.against].name for c in found.cells}


def test_one_cell() -> None:
    [cell] = made().cells
    assert (cell.name, cell.body, cell.against) == ("base", BASE, None)


def test_variants_lie_over_the_base() -> None:
    variants = [
        {"name": "today"},
        {"name": "lane", "scenario_id": "lane", "end": 50, "options": {"mesosim": True}, "labels": {"what": "lane"}},
    ]
    today, lane = made(variants).cells
    assert today.body == BASE
    assert lane.body == {
        "scenario_id": "lane",
        "end": 50,
        "options": {"time-to-teleport": 60, "mesosim": True},
        "labels": {"who": "me", "what": "lane"},
    }
    assert lane.against == 0


def test_a_sweep_is_compared_with_a_scale_of_one() -> None:
    found = made(sweep={"scale": [0.95, 1.0, 1.05]})
    assert against(found) == {"scale=0.95": "scale=1", "scale=1": None, "scale=1.05": "scale=1"}
    assert [cell.body["scale"] for cell in found.cells] == [0.95, 1.0, 1.05]


def test_or_with_what_the_base_asks_for() -> None:
    found = made(sweep={"scale": [1.0, 1.2]}, base=BASE | {"scale": 1.2})
    assert against(found) == {"scale=1": "scale=1.2", "scale=1.2": None}


def test_options_are_swept_into_options() -> None:
    found = made(sweep={"time-to-teleport": [120, 300]})
    assert [cell.body["options"]["time-to-teleport"] for cell in found.cells] == [120, 300]


def test_every_cell_but_one_has_one_comparison() -> None:
    found = made([{"name": "a"}, {"name": "b"}], {"scale": [1, 2]}, baseline="a")
    assert against(found) == {
        "a, scale=1": None, "a, scale=2": "a, scale=1", "b, scale=1": "a, scale=1", "b, scale=2": "a, scale=2",
    }  # fmt: skip


def test_a_cell_may_be_the_baseline() -> None:
    found = made([{"name": "a"}, {"name": "b"}], {"scale": [1, 2]}, baseline="b, scale=2")
    assert against(found)["b, scale=2"] is None
    assert against(found)["a, scale=1"] == "b, scale=1"


@pytest.mark.parametrize(
    "variants, sweep, baseline, base, expected",
    [
        ([], {}, None, BASE | {"seed": 3}, ("study.seed_given", "base.seed")),
        ([{"name": "a", "seed": 1}], {}, None, BASE, ("study.seed_given", "variants[0].seed")),
        ([{"end": 3}], {}, None, BASE, ("study.bad_name", "variants[0].name")),
        ([{"name": "a\n"}], {}, None, BASE, ("study.bad_name", "variants[0].name")),
        ([{"name": "a"}, {"name": "a"}], {}, None, BASE, ("study.same_name", "variants[1].name")),
        ([], {"seed": [1]}, None, BASE, ("study.not_swept", "sweep.seed")),
        ([], {"step-length": [1]}, None, BASE, ("study.not_swept", "sweep.step-length")),
        ([{"name": "a"}, {"name": "a "}], {}, None, BASE, ("study.bad_name", "variants[1].name")),
        ([], {"scale": [1, 1]}, None, BASE, ("study.same_value", "sweep.scale")),
        ([], {"scale": [1, 1.0]}, None, BASE, ("study.same_value", "sweep.scale")),
        ([], {"scale": [0, -0.0]}, None, BASE, ("study.same_value", "sweep.scale")),
        ([], {"scale": [0.3, 0.1 + 0.2]}, None, BASE, ("study.same_value", "sweep.scale")),
        ([{"name": "a", "scale": 2}], {"scale": [1]}, None, BASE, ("study.given_twice", "variants[0].scale")),
        ([], {"scale": list(range(51))}, None, BASE, ("study.too_many_cells", "sweep")),
        ([{"name": "a"}], {}, "c", BASE, ("study.no_baseline", "baseline")),
    ],
)
def test_faults(variants: Any, sweep: Any, baseline: Any, base: Any, expected: tuple[str, str]) -> None:
    found = expand(base, variants, sweep, baseline)
    assert expected in [(fault.code, fault.where) for fault in found.faults]
    assert not found.cells


def test_all_faults_at_once() -> None:
    found = made([{"name": "a", "seed": 1}, {"name": "a"}], {"colour": [1]})
    assert {fault.code for fault in found.faults} == {"study.seed_given", "study.same_name", "study.not_swept"}
