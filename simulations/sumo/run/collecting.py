"""After the run: check what was written, read the results out of it, pack it for upload."""

import json
import math
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from simulations.sumo.inputs.options import OUTPUTS
from simulations.sumo.protocol.description import JobDescription
from simulations.sumo.protocol.endings import Outcome
from simulations.sumo.protocol.problems import Problem, plain
from simulations.sumo.results import kpis, outputs, quality
from simulations.sumo.results.outputs import ResultFile
from simulations.sumo.results.sumo_run import SumoRun
from simulations.sumo.results.trips import Window, read_trips
from simulations.sumo.run.report import Report

TRIPINFO = "tripinfo.xml"
STATISTICS = "statistics.xml"
PERSONINFO = OUTPUTS["personinfo"].file


def read_results(
    report: Report,
    run: SumoRun,
    out: Path,
    *,
    job: JobDescription,
    demand: Mapping[str, Any] | None,
    drops_late: bool = False,
    scale: float = 1,
) -> dict[str, dict[str, Any]]:
    """Fill in `report.kpis` and the quality warnings; returns what else is told of the trips, by the file's name.

    Files that SUMO left incomplete give no KPI; for a run that calls itself successful that is an error.
    """
    statistics: dict[str, dict[str, str]] = {}
    trips = None
    for name in (STATISTICS, TRIPINFO):
        try:
            if name == STATISTICS:
                statistics = kpis.read_statistics(out / name)
            else:
                apart = out / PERSONINFO
                trips = read_trips(out / name, _window(job, run), apart if apart.exists() else None)
        except (ET.ParseError, OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            problem = Problem("output.damaged", f"SUMO's result file cannot be read: {why}", name)
            if report.outcome is Outcome.SUCCEEDED:
                report.end(Outcome.IO_FAILED, [problem])
            else:
                report.warnings.append(problem)
    dropped = run.last.dropped_at_least(scale) if run.last and drops_late else None
    report.kpis, not_finite = kpis.without_not_finite(
        kpis.compute(statistics, trips, run.standstill_s if statistics else None, dropped if scale >= 1 else None)
    )
    complete = report.outcome is Outcome.SUCCEEDED
    found = quality.warnings(
        report.kpis, run, complete=complete, not_finite=not_finite, demand=demand, dropped_at_least=dropped or 0
    )
    report.warnings[:0] = found  # first: a list of warnings is cut at its end
    if trips is None:
        return {}
    told: dict[str, dict[str, Any]] = {"travel_times.json": kpis.histogram(trips.travel_times)}
    if len(trips.types) > 1:
        figures = {name: kpis.without_not_finite(known)[0] for name, known in kpis.of_types(trips).items()}
        told["vehicle_types.json"] = {"types": figures}
    return told


def _window(job: JobDescription, run: SumoRun) -> Window | None:
    if not job.has_window:
        return None
    end = run.sim_end if run.sim_end is not None else (run.last.time if run.last else 0.0)
    return Window(
        begin=-math.inf if job.window_begin is None else job.window_begin,
        end=math.inf if job.window_end is None else job.window_end,
        sim_end=end,
    )


class Collector:
    """Packs files into `folder` as artifacts and notes in the report which are damaged."""

    def __init__(self, report: Report, folder: Path) -> None:
        self._report = report
        self._folder = folder

    def collect_own(
        self, out: Path, log: Path, effective: bytes | None, of_trips: Mapping[str, dict[str, Any]]
    ) -> None:
        """What the runner asked SUMO for. Damage to it in a successful run means the disk was full."""
        for name, content in of_trips.items():
            self._write(name, json.dumps(content).encode())
        if effective is not None:
            self._write("effective.sumocfg", effective)
        if log.is_file():
            self._add(outputs.described(log, log.name))
        for path in sorted(out.iterdir(), key=lambda path: path.stat().st_size):
            file = self._pack(path, path.name, drop_header=True)
            if file and file.intact is False:
                problem = Problem(
                    "output.damaged", "The file was cut while it was written; was the disk full?", file.name
                )
                self._note_damage(problem, fatal=self._report.outcome is Outcome.SUCCEEDED)

    def collect_scenarios_own(self, scenario: Path, names: Iterable[str]) -> None:
        """What the scenario itself wrote in its tree, as `scenario/<path>`."""
        for name in names:
            if not outputs.usable_name(name):
                self._note_damage(Problem("output.name", "The file's name cannot be stored.", repr(name)), fatal=False)
                continue
            file = self._pack(scenario / name, f"scenario/{name}", drop_header=False)
            if file and file.intact is False:
                problem = Problem("output.damaged", "The file that the scenario wrote is not complete.", file.name)
                self._note_damage(problem, fatal=False)

    def _pack(self, path: Path, name: str, *, drop_header: bool) -> ResultFile | None:
        try:
            file = outputs.pack(path, name, self._folder, drop_header=drop_header)
        except OSError as error:
            problem = Problem("output.not_packed", f"The file could not be packed: {error.strerror}", name)
            self._note_damage(problem, fatal=self._report.outcome is Outcome.SUCCEEDED)
            return None
        self._add(file)
        return file

    def _write(self, name: str, content: bytes) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self._add(outputs.described(path, name))

    def _add(self, file: ResultFile) -> None:
        self._report.files.append(file)

    def _note_damage(self, problem: Problem, *, fatal: bool) -> None:
        if fatal:
            self._report.end(Outcome.IO_FAILED, [problem])
        else:
            self._report.warnings.append(problem)


def run_problems(run: SumoRun) -> list[Problem]:
    """Why a run did not succeed, in sentences."""
    at = f" at simulated second {plain(run.sim_end)}" if run.sim_end is not None else ""
    kept = "the results up to there are kept" if run.last else "before the first step, so there are no results"
    match run.outcome:
        case Outcome.SUCCEEDED:
            return []
        case Outcome.TIME_LIMIT:
            return [Problem("limit.wall_time", f"The time limit was reached{at}; {kept}.")]
        case Outcome.OUTPUT_LIMIT:
            return [Problem("limit.output", f"The run wrote more than it may{at}; {kept}.")]
        case Outcome.TOO_MANY_TELEPORTS:
            return [Problem("limit.teleports", f"More vehicles were teleported than the limit allows{at}.")]
        case Outcome.OUT_OF_MEMORY:
            return [Problem("limit.memory", "SUMO ran out of memory. Ask for more memory, or simulate less.")]
        case Outcome.INTERRUPTED:
            return [Problem("run.interrupted", f"The run was stopped from outside{at}.")]
        case Outcome.INVALID_SCENARIO:
            return [Problem("sumo.load", text) for text in run.errors]
        case Outcome.SUMO_CRASHED:
            how = f"signal {-run.returncode}" if run.returncode < 0 else f"exit code {run.returncode}"
            return [Problem("sumo.crashed", f"SUMO crashed ({how}).")]
        case _:
            said = [Problem("sumo.run", text) for text in run.errors]
            return said or [Problem("sumo.run", f"SUMO ended early: {run.reason or 'without a reason'}.")]
