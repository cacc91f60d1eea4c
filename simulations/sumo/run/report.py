"""What the runner tells the outside: JSON lines on stdout, the manifest, the termination message."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from simulations.sumo.protocol import strict_json
from simulations.sumo.protocol.description import JobDescription
from simulations.sumo.protocol.endings import UNREACHABLE_PHASE, Outcome
from simulations.sumo.protocol.problems import Problem
from simulations.sumo.protocol.report import (
    FIRST_ERRORS,
    LISTED_PROBLEMS,
    MAX_MANIFEST_BYTES,
    MAX_MESSAGE_BYTES,
    REASON_CHARS,
    TEXT_LIMITS,
    VERSION,
    VERSION_CHARS,
)
from simulations.sumo.results.kpis import Kpis
from simulations.sumo.results.outputs import ResultFile
from simulations.sumo.results.sumo_run import SumoRun

LOG_LINES_PER_LEVEL = 50
LOG_LINE_CHARS = 500


class Console:
    """One JSON object per line on stdout. SUMO's texts go through `log` only, so they cannot forge another event."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._logged: Counter[str] = Counter()

    def phase(self, phase: str, message: str) -> None:
        self._write("phase", {"phase": phase, "message": message})

    def reaches(self, trouble: str | None) -> None:
        """A phase of its own while the control plane cannot be reached: the log is the only one who hears of it."""
        if trouble is None:
            self.phase("reachable", "The control plane answers again.")
        else:
            self.phase(UNREACHABLE_PHASE, f"Cannot reach the control plane: {trouble}")

    def progress(self, record: Mapping[str, Any]) -> None:
        self._write("progress", record)

    def result(self, summary: Mapping[str, Any]) -> None:
        self._write("result", summary)

    def log(self, level: str, text: str) -> None:
        self._logged[level] += 1
        if self._logged[level] <= LOG_LINES_PER_LEVEL:
            self._write("log", {"level": level, "message": text[:LOG_LINE_CHARS]})
        elif self._logged[level] == LOG_LINES_PER_LEVEL + 1:
            self._write("log", {"level": level, "message": f"More messages of level {level} are in sumo.log only."})

    def _write(self, event: str, content: Mapping[str, Any]) -> None:
        line = strict_json.dumps({"v": VERSION, "t": round(time.time(), 3), "event": event, **content})
        with suppress(OSError):  # whoever read the log may be gone; the run goes on
            self._stream.write(f"{line}\n")
            self._stream.flush()


@dataclass
class Report:
    """Everything that is known about the run so far; phases fill it in."""

    outcome: Outcome | None = None
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    warnings_total: int = 0
    run: SumoRun | None = None
    dry_run: SumoRun | None = None
    input: dict[str, Any] = field(default_factory=dict)
    kpis: Kpis = field(default_factory=dict)
    files: list[ResultFile] = field(default_factory=list)
    uploaded: bool = False

    def end(self, outcome: Outcome, problems: Sequence[Problem] = ()) -> None:
        """The first end counts; what goes wrong afterwards is only listed."""
        if self.outcome in (None, Outcome.SUCCEEDED):
            self.outcome = outcome
        self.errors += [problem for problem in problems if problem not in self.errors]

    @property
    def complete(self) -> bool:
        return self.outcome is Outcome.SUCCEEDED

    def run_facts(self) -> dict[str, Any]:
        runs = [run for run in (self.run, self.dry_run) if run]
        run = self.run or SumoRun(returncode=-1)
        return {
            "reason": run.reason,
            "exit_code": run.returncode if self.run else None,
            "sim_begin": run.sim_begin,
            "sim_end": run.sim_end if run.sim_end is not None else (run.last.time if run.last else None),
            "wall_s": round(run.wall_s, 2),
            "cpu_s": round(run.cpu_s, 2),
            "peak_rss_mb": round(max((each.peak_rss_mb for each in runs), default=0.0), 1),
            "peak_running": run.peak_running,
            "warnings_total": self.warnings_total,
            "preflight_s": round(self.dry_run.wall_s, 2) if self.dry_run else None,
        }

    @property
    def sumo_version(self) -> str | None:
        return next((run.sumo_version for run in (self.run, self.dry_run) if run and run.sumo_version), None)

    def manifest(self, description: JobDescription) -> bytes:
        document: dict[str, Any] = {
            "schema": VERSION,
            "job_id": description.job_id,
            "attempt": description.attempt,
            "scenario": {"scenario_id": description.scenario_id, "version": description.scenario_version},
            "outcome": self.outcome,
            "complete": self.complete,
            "request": description.as_request(),
            "input": self.input,
            "sumo": {"version": self.sumo_version},
            "run": self.run_facts(),
            "kpis": self.kpis,
            "files": [file.as_dict() for file in self.files],
            "warnings": [problem.as_dict() for problem in self.warnings[:LISTED_PROBLEMS]],
            "errors": [problem.as_dict() for problem in self.errors[:LISTED_PROBLEMS]],
        }
        content = strict_json.dumps(document, indent=1).encode()
        while len(content) > MAX_MANIFEST_BYTES and document["files"]:  # the reader has its bound
            document["files"] = document["files"][: len(document["files"]) // 2]
            content = strict_json.dumps(document, indent=1).encode()
        return content

    def summary(self) -> dict[str, Any]:
        """The content of the termination message and of the last line on stdout."""
        facts = self.run_facts()
        return {
            "v": VERSION,
            "outcome": self.outcome,
            "complete": self.complete,
            "reason": facts["reason"] and facts["reason"][:REASON_CHARS],
            "errors": [_short(problem, 300) for problem in self.errors[:FIRST_ERRORS]],
            "kpis": self.kpis,
            **{name: facts[name] for name in ("sim_begin", "sim_end", "wall_s", "cpu_s", "peak_rss_mb")},
            "sumo_version": self.sumo_version and self.sumo_version[:VERSION_CHARS],
            "uploaded": self.uploaded,
            "files": len(self.files),
            "warnings_total": self.warnings_total,
        }

    def write_termination_message(self, path: Path) -> None:
        """Kubernetes keeps 4096 bytes of it: texts are shortened until it fits."""
        summary = self.summary()
        for chars in (300, 150, 60, 0):
            summary["errors"] = [_short(problem, chars) for problem in self.errors[:FIRST_ERRORS]]
            content = strict_json.dumps(summary).encode()
            if len(content) <= MAX_MESSAGE_BYTES:
                break
        with suppress(OSError):
            path.write_bytes(content)


def _short(problem: Problem, chars: int) -> dict[str, Any]:
    where = problem.where[:chars] if problem.where else None
    return {"code": problem.code[: TEXT_LIMITS["code"]], "where": where, "message": problem.message[:chars]}
