from itertools import pairwise

from simulations.sumo.results.sumo_run import StepRecord
from simulations.sumo.run.progress import ProgressMeter, Trail


def step(time: float) -> StepRecord:
    return StepRecord(time, 5, 1, 2, 10, 3, 0, 8.5, 60.0, 0)


def make(end: float | None) -> tuple[ProgressMeter, list[dict], list[float]]:
    emitted: list[dict] = []
    clock = [0.0]
    return (
        ProgressMeter(begin=100, end=end, period_s=5, emit=emitted.append, clock=lambda: clock[0]),
        emitted,
        clock,
    )


def test_percent_speed_and_time_to_go() -> None:
    meter, emitted, clock = make(end=500)
    clock[0] = 2
    meter.record(step(200))
    assert emitted == [
        {
            "sim_time": 200, "percent": 25.0, "running": 5, "halting": 1, "waiting": 2, "inserted": 10, "arrived": 3,
            "teleports": 0, "mean_speed": 8.5, "rtf": 50.0, "eta_s": 6.0,
        }
    ]  # fmt: skip


def test_not_more_often_than_the_period() -> None:
    meter, emitted, clock = make(end=500)
    for clock[0], time in ((1, 200), (2, 260), (5.9, 320), (6, 380)):
        meter.record(step(time))
    assert [record["sim_time"] for record in emitted] == [200, 380]
    assert emitted[1]["rtf"] == 36.0
    meter.flush()
    assert len(emitted) == 2
    meter.record(step(440))
    meter.flush()
    assert [record["sim_time"] for record in emitted] == [200, 380, 440]


def test_without_an_end_neither_percent_nor_time_to_go() -> None:
    meter, emitted, clock = make(end=None)
    clock[0] = 1
    meter.record(step(160))
    assert (emitted[0]["percent"], emitted[0]["eta_s"], emitted[0]["rtf"]) == (None, None, 60.0)


def test_the_trail_is_even_and_ends_now() -> None:
    trail = Trail()
    for time in range(1000):
        points = trail.after({"sim_time": time, "running": time % 7, "halting": 0})
        assert points[-1] == [time, time % 7, 0]
        assert len(points) <= Trail.MOST
    times = [point[0] for point in points[:-1]]
    assert times[0] == 0
    assert len({later - earlier for earlier, later in pairwise(times)}) == 1
