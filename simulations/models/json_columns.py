"""What the JSON columns of a job hold. The results are the runner's report: `simulations/sumo/protocol/report.py`."""

from typing import Any, NotRequired, TypedDict


class AcceptedRequest(TypedDict, total=False):
    """The whole request with its defaults, version and seed; see `simulations/api/requests.py`. Times in seconds."""

    scenario_id: str
    scenario_version: int
    sha256: str
    cpu_request: int
    memory_gi: int
    config: str | None
    seed: int
    begin: float | None
    end: float | None
    step_length: float | None
    scale: float | None
    options: dict[str, Any]
    outputs: list[str]
    emissions: bool
    edges_interval_s: float | None
    window_begin: float | None
    window_end: float | None
    time_limit_s: int
    priority_class: str
    priority: int
    labels: dict[str, str]


class Progress(TypedDict):
    """A run's last report. Simulated time and what is left in seconds, speed in m/s; null: not known."""

    sim_time: float
    percent: float | None
    running: int
    halting: NotRequired[int]
    waiting: NotRequired[int]
    inserted: NotRequired[int]
    arrived: NotRequired[int]
    teleports: NotRequired[int]
    mean_speed: NotRequired[float | None]
    rtf: NotRequired[float | None]
    eta_s: NotRequired[float | None]
    trail: NotRequired[list[list[float]]]
