import json

import pytest

from simulations.sumo.outcomes import Outcome
from simulations.sumo.report import MAX_TEXT_CHARS, json_text


@pytest.mark.parametrize(
    "value, written",
    [
        (float("nan"), None),
        ([float("inf"), 1.5, 2], [None, 1.5, 2]),
        ({"a": {"b": float("-inf")}}, {"a": {"b": None}}),
        ("a\0b", "a\ufffdb"),
        ("\udcff", "?"),
        ({"\0": "ü"}, {"\ufffd": "ü"}),
        ("x" * 9999, "x" * MAX_TEXT_CHARS),
        ((True, None, Outcome.SUCCEEDED), [True, None, "succeeded"]),
    ],
)
def test_what_no_database_takes_is_never_written(value: object, written: object) -> None:
    assert json.loads(json_text(value)) == written
