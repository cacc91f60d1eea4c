"""When waiting jobs may start: slots come free as runs end, and nothing is made up."""

from typing import Any

import pytest

from simulations.portal.estimates import starts_in_s


@pytest.mark.parametrize(
    ("given", "starts"),
    [
        ((3, 2, [100, 40], 60), [40, 100, 100]),
        ((2, 3, [50], 60), [0, 0]),
        ((3, 1, [None], 60), [60, 120, 180]),
        ((2, 1, [30], None), [30, None]),
        ((2, 2, [30, None], None), [None, None]),
        ((1, 0, [], 60), [None]),
        ((1, 1, [-5], 60), [0]),
    ],
)
def test_slots_come_free_in_turn(given: tuple[Any, ...], starts: list[float | None]) -> None:
    assert starts_in_s(*given) == starts
