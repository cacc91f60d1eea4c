"""When waiting jobs may start: limits come free as runs end, and nothing is made up."""

from typing import Any

import pytest

from simulations.portal.estimates import Need, Room, Running, starts_in_s

SMALL, LARGE = Need(1, 2), Need(4, 8)


def run(*left_s: float | None, need: Need = SMALL) -> list[Running]:
    return [Running(need, left) for left in left_s]


def room(jobs: int, cpu: int = 100) -> Room:
    return Room(jobs, cpu, 400)


@pytest.mark.parametrize(
    ("given", "starts"),
    [
        (([SMALL] * 3, room(2), run(100, 40), 60), [40, 100, 100]),
        (([SMALL] * 2, room(3), run(50), 60), [0, 0]),
        (([SMALL] * 3, room(1), run(None), 60), [None, None, None]),
        (([SMALL] * 2, room(1), run(30), None), [30, None]),
        (([SMALL] * 2, room(2), run(30, None), None), [30, None]),
        (([SMALL], room(0), [], 60), [None]),
        (([SMALL], room(1), run(-5), 60), [0]),
        # CPUs, not slots: the large one waits for all four, and nobody overtakes it
        (([LARGE, SMALL], room(9, cpu=4), run(20, 70, 90), 60), [90, 150]),
        # what the limits never allow is in nobody's way
        (([LARGE, SMALL], room(9, cpu=2), run(20), 60), [None, 0]),
        (([SMALL], room(30), run(*range(100, 130)), 60), [100]),
    ],
)
def test_limits_come_free_in_turn(given: tuple[Any, ...], starts: list[float | None]) -> None:
    assert starts_in_s(*given) == starts
