"""What a study gives to the statistics, and the figures it speaks of. Plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Figure:
    """A traffic figure. `better`: which direction is an improvement; None: neither is."""

    name: str
    label: str
    unit: str = ""
    decimals: int = 2
    better: Literal["lower", "higher"] | None = None
    is_count: bool = False  # of rare events: an interval from Student's t would mislead
    times: float = 1.0  # what makes the value one of `shown_unit`, in which people read it
    shown_unit: str | None = None
    shown_decimals: int | None = None

    def text(self, value: float, *, sign: bool = False) -> str:
        """With its unit, for people."""
        return self.written(value * self.times, sign=sign)

    def written(self, reading: float, *, sign: bool = False) -> str:
        """The same of a value that is in the unit of `read_in` already, as charts have it."""
        decimals = self.decimals if self.shown_decimals is None else self.shown_decimals
        number = f"{reading:{'+' if sign else ''},.{decimals}f}".replace("-", "−")
        return f"{number} {self.read_in}".strip()

    @property
    def read_in(self) -> str:
        return self.unit if self.shown_unit is None else self.shown_unit


@dataclass(frozen=True, slots=True)
class RunResult:
    """One run that has ended. `kpis` is empty unless it succeeded; `why` says why it is left out."""

    seed: int
    kpis: Mapping[str, float | int | None] = field(default_factory=dict)
    succeeded: bool = True
    why: str = ""
    sumo_version: str | None = None


@dataclass(frozen=True, slots=True)
class CellRuns:
    """One column of the study: a variant at one point of the sweep. `against`: the cell that it is compared with.

    `setting` holds what its runs were asked for, as far as quality flags look at it.
    """

    name: str
    variant: str = ""
    against: str | None = None
    setting: Mapping[str, Any] = field(default_factory=dict)
    runs: tuple[RunResult, ...] = ()

    @property
    def succeeded(self) -> list[RunResult]:
        return [run for run in self.runs if run.succeeded]

    @property
    def failed(self) -> list[RunResult]:
        return [run for run in self.runs if not run.succeeded]

    def values(self, name: str) -> dict[int, float]:
        """seed → value of the runs that have that figure."""
        found = {}
        for run in self.runs:
            value = run.kpis.get(name) if run.succeeded else None
            if value is not None:
                found[run.seed] = float(value)
        return found


@dataclass(frozen=True, slots=True)
class Question:
    """What the study was made to answer."""

    primary: tuple[str, ...]
    relevant_difference: float = 0.02
    max_failed_share: float = 0.2
    confidence: float = 0.95
