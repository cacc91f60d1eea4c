"""The job description: what the control plane asks of the runner, as JSON in the environment variable SUMOK8_JOB."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .endings import Outcome, RunEnd
from .problems import Problem

VERSION = 1
EDGES_INTERVAL_S = 900.0


@dataclass(frozen=True)
class RunLimits:
    """Bounds of one run: wall clock seconds from the runner's start, bytes written, teleported vehicles, archive."""

    wall_s: float
    output_bytes: int
    unpacked_bytes: int
    files: int


@dataclass(frozen=True)
class JobDescription:
    """One job, as checked. Times of the simulation are in seconds; None leaves what the scenario says."""

    job_id: str
    attempt: int
    scenario_id: str
    scenario_version: int
    scenario_sha256: str
    config: str | None
    seed: int
    begin: float | None
    end: float | None
    step_length: float | None
    scale: float | None
    options: Mapping[str, Any]
    outputs: tuple[str, ...]
    emissions: bool
    edges_interval_s: float
    window_begin: float | None
    window_end: float | None
    summary_period_s: float
    progress_s: float
    limits: RunLimits

    @classmethod
    def parse(cls, text: str) -> "JobDescription":
        """Raises RunEnd(INVALID_JOB) with everything that is wrong."""
        try:
            document = json.loads(text)
        except ValueError as error:
            raise RunEnd(Outcome.INVALID_JOB, [Problem("job.not_json", f"SUMOK8_JOB is not JSON: {error}")]) from None
        reader = _FieldReader(document if isinstance(document, dict) else {})
        if reader.document.get("v") != VERSION:
            sentence = f"The job description has version {reader.document.get('v')!r}; this runner knows {VERSION}."
            raise RunEnd(Outcome.INVALID_JOB, [Problem("job.version", sentence)])
        scenario, limits = reader.inner("scenario"), reader.inner("limits")
        description = cls(
            job_id=reader.text("job_id"),
            attempt=reader.whole("attempt"),
            scenario_id=scenario.text("scenario_id"),
            scenario_version=scenario.whole("version"),
            scenario_sha256=scenario.text("sha256"),
            config=scenario.optional_text("config"),
            seed=reader.whole("seed"),
            begin=reader.number("begin"),
            end=reader.number("end"),
            step_length=reader.number("step_length"),
            scale=reader.number("scale"),
            options=reader.inner("options").document,
            outputs=reader.texts("outputs"),
            emissions=bool(reader.document.get("emissions")),
            edges_interval_s=reader.number("edges_interval_s") or EDGES_INTERVAL_S,
            window_begin=reader.number("window_begin"),
            window_end=reader.number("window_end"),
            summary_period_s=reader.number("summary_period_s") or 60.0,
            progress_s=reader.number("progress_s") or 5.0,
            limits=RunLimits(
                wall_s=limits.positive("wall_s"),
                output_bytes=limits.whole("output_bytes"),
                unpacked_bytes=limits.whole("unpacked_bytes"),
                files=limits.whole("files"),
            ),
        )
        problems = [*reader.problems, *scenario.problems, *limits.problems]
        if problems:
            raise RunEnd(Outcome.INVALID_JOB, problems)
        return description

    @property
    def has_window(self) -> bool:
        """Whether the figures of trips are over those of a part of the time only."""
        return self.window_begin is not None or self.window_end is not None

    def as_request(self) -> dict[str, Any]:
        """What was asked, for the manifest."""
        return {
            "seed": self.seed,
            "config": self.config,
            "begin": self.begin,
            "end": self.end,
            "step_length": self.step_length,
            "scale": self.scale,
            "options": dict(self.options),
            "outputs": list(self.outputs),
            "emissions": self.emissions,
            "edges_interval_s": self.edges_interval_s,
            "window_begin": self.window_begin,
            "window_end": self.window_end,
        }


class _FieldReader:
    """Reads fields of one JSON object and notes what is wrong instead of stopping at the first."""

    def __init__(self, document: dict[str, Any], path: str = "") -> None:
        self.document = document
        self.problems: list[Problem] = []
        self._path = path

    def inner(self, name: str) -> "_FieldReader":
        value = self.document.get(name)
        if value is not None and not isinstance(value, dict):
            self._wrong(name, "an object")
        return _FieldReader(value if isinstance(value, dict) else {}, f"{self._path}{name}.")

    def text(self, name: str) -> str:
        value = self.document.get(name)
        if isinstance(value, str) and value:
            return value
        self._wrong(name, "a text")
        return ""

    def optional_text(self, name: str) -> str | None:
        return None if self.document.get(name) is None else self.text(name)

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.document.get(name) or []
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return tuple(value)
        self._wrong(name, "a list of texts")
        return ()

    def whole(self, name: str) -> int:
        value = self.document.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        self._wrong(name, "a whole number, 0 or more")
        return 0

    def positive(self, name: str) -> float:
        value = self.document.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf:
            return float(value)
        self._wrong(name, "a number above 0")
        return 0.0

    def number(self, name: str) -> float | None:
        value = self.document.get(name)
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
        self._wrong(name, "a number")
        return None

    def _wrong(self, name: str, wanted: str) -> None:
        self.problems.append(Problem("job.bad_field", f"{self._path}{name} must be {wanted}.", f"{self._path}{name}"))
