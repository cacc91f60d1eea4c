"""What a map can show: figures per edge from the sums that runs deliver. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simulations.sumo.protocol.edge_file import CO2, DISTANCE, ENTERED, SAMPLED, TIME_LOSS, WAITING

Values = list[float | None]
SECONDS_PER_HOUR = 3600.0
M_PER_KM = 1000.0


@dataclass(frozen=True)
class Traffic:
    """Sums of `runs` runs over `seconds` each; `column` gives one of them, edge by edge."""

    column: Callable[[str], Sequence[float]]
    lengths: Sequence[float]
    limits: Sequence[float]
    seconds: float
    runs: int = 1


@dataclass(frozen=True)
class Metric:
    """`better` is where a change is an improvement: -1 down, 1 up, 0 neither. What `grows` with the length of an edge
    may be asked for per kilometre."""

    name: str
    label: str
    unit: str
    better: int
    column: str
    factor: float = 1.0  # from a column's unit to this one's
    grows: bool = False

    def unit_per(self, per_km: bool) -> str:
        return f"{self.unit}/km" if per_km and self.grows else self.unit

    def of(self, traffic: Traffic, *, per_km: bool = False) -> Values:
        """One figure per edge, the mean of the runs; None where there was no traffic to have it."""
        match self.name:
            case "speed":
                return _speeds(traffic)
            case "speed_ratio":
                return [
                    None if speed is None or limit <= 0 else speed / SECONDS_PER_HOUR * M_PER_KM / limit
                    for speed, limit in zip(_speeds(traffic), traffic.limits, strict=True)
                ]
            case "density":
                per = traffic.seconds * traffic.runs
                sampled = traffic.column(SAMPLED)
                return [
                    None if length <= 0 or per <= 0 else value * M_PER_KM / (length * per)
                    for value, length in zip(sampled, traffic.lengths, strict=True)
                ]
            case "volume":
                per = traffic.seconds * traffic.runs / SECONDS_PER_HOUR
                return [value / per if per > 0 else None for value in traffic.column(self.column)]
        factor = self.factor / traffic.runs
        sums = traffic.column(self.column)
        if not (per_km and self.grows):
            return [value * factor for value in sums]
        return [
            value * factor * M_PER_KM / length if length > 0 else None
            for value, length in zip(sums, traffic.lengths, strict=True)
        ]


def _speeds(traffic: Traffic) -> Values:
    """km/h: the distance of all vehicles of all runs over their time, so that an empty run weighs nothing."""
    distances, times = traffic.column(DISTANCE), traffic.column(SAMPLED)
    factor = SECONDS_PER_HOUR / M_PER_KM
    return [distance / time * factor if time > 0 else None for distance, time in zip(distances, times, strict=True)]


METRICS = {
    metric.name: metric
    for metric in (
        Metric("speed_ratio", "Speed against the limit", "", 1, DISTANCE),
        Metric("speed", "Mean speed", "km/h", 1, DISTANCE),
        Metric("density", "Density", "veh/km", -1, SAMPLED),
        Metric("time_loss", "Time lost", "veh-h", -1, TIME_LOSS, 1 / SECONDS_PER_HOUR, grows=True),
        Metric("waiting", "Waiting", "veh-h", -1, WAITING, 1 / SECONDS_PER_HOUR, grows=True),
        Metric("volume", "Volume", "veh/h", 0, ENTERED),
        Metric("co2", "CO₂", "kg", -1, CO2, 1 / 1000, grows=True),
    )
}


def available(columns: Sequence[str]) -> list[Metric]:
    """The metrics that a file with these columns has."""
    return [metric for metric in METRICS.values() if metric.column in columns]


def short(value: float | None) -> float | None:
    """Four digits: nobody sees more on a map, and half the bytes go."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.4g}")
