"""A job as one line for a terminal."""

import pytest

from client.text import figure, line_of, size

EARLY = {"sim_time": 60.0, "percent": 10.0, "running": 7}


def test_a_running_job_shows_how_far_it_is() -> None:
    line = line_of({"status": "RUNNING", "progress": EARLY})
    assert " 10%  simulated 0:01:00  7 vehicles running" in line


@pytest.mark.parametrize("report", [EARLY, None])
def test_a_succeeded_job_is_done_whatever_it_reported_before_its_end(report: dict[str, float] | None) -> None:
    line = line_of({"status": "SUCCEEDED", "progress": report})
    assert line.endswith("] 100%  SUCCEEDED")
    assert "·" not in line


@pytest.mark.parametrize(("count", "text"), [(4096, "4.0 KiB"), (3 * 1024**2, "3.0 MiB"), (5 * 1024**3, "5,120.0 MiB")])
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("teleports", 3, "3"),
        ("teleports", 1 / 3, "0.3"),
        ("vehicles_arrived", 2992.0, "2,992"),
        ("mean_route_length_m", 1149.6, "1,150 m"),
        ("mean_speed_ms", 10.0, "36.0 km/h"),
        ("mean_speed_ms", None, "-"),
    ],
)
def test_a_mean_of_counts_is_no_whole_number(name: str, value: float, text: str) -> None:
    assert figure(name, value) == text
