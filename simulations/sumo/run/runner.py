"""The program inside the pod, phase by phase: fetch, check, dry run, run, collect, upload, report."""

import math
import os
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from simulations.sumo.inputs import archive, connectivity, options, scenario_check, sumocfg
from simulations.sumo.inputs.archive import ArchiveLimits
from simulations.sumo.inputs.output_files import named_outputs
from simulations.sumo.inputs.sumocfg import SumoConfig
from simulations.sumo.protocol.description import JobDescription
from simulations.sumo.protocol.endings import Outcome, RunEnd
from simulations.sumo.protocol.problems import MAX_LISTED, InvalidScenario, Problem, listed, plain
from simulations.sumo.results import outputs
from simulations.sumo.results.sumo_run import StepRecord
from simulations.sumo.run import collecting, preflight
from simulations.sumo.run.collecting import Collector
from simulations.sumo.run.delivery import ResultUpload
from simulations.sumo.run.edges import EdgeOutput
from simulations.sumo.run.execution import Supervisor
from simulations.sumo.run.fetching import fetch_scenario
from simulations.sumo.run.isolation import PodEnvironment, hide_from_other_processes, termination_message_path
from simulations.sumo.run.plan import RunPlan
from simulations.sumo.run.progress import ProgressMeter, Trail
from simulations.sumo.run.report import Console, Report
from simulations.sumo.run.stopping import StopSignal, Watch, folder_bytes
from simulations.sumo.run.summary import SummaryFiles
from simulations.sumo.run.transport import ControlPlane, ProgressPoster
from simulations.sumo.run.workspace import Workspace

PROGRESS_POST_S = 10.0
LAST_TRACE_CHARS = 2000
CHECK_CPU_S = 20.0
MAX_SCAN_S = 20.0
UPLOAD_S = 240.0
# The pod's grace is 60 s from SIGTERM to SIGKILL: SUMO's own 20 s are in it, the last 8 s are for the report.
STOPPED_UPLOAD_S = 52.0
STOPPED_EDGES_S = 35.0  # so that the results of trips are uploaded in any case


class Runner:
    """One job. Each phase fills in the report or ends the work with RunEnd; `run` then saves what there is."""

    def __init__(
        self,
        pod: PodEnvironment,
        description: JobDescription,
        *,
        report: Report,
        console: Console,
        stop: StopSignal,
        started: float,
    ) -> None:
        self.pod = pod
        self.description = description
        self.report = report
        self.console = console
        self.stop = stop
        self.wall_deadline = started + description.limits.wall_s
        self.space = Workspace(pod.work_dir)
        self.control_plane = ControlPlane(
            pod.url, job_id=pod.job_id, token=pod.token, attempt=description.attempt, told=console.reaches
        )
        self.space.prepare()
        self.config_path = ""
        self.demand: Mapping[str, Any] | None = None
        self.discards = False
        self.plan = RunPlan(description, SumoConfig({}))
        self.written: list[str] = []
        self.edges: EdgeOutput | None = None

    @property
    def folder(self) -> Path:
        """Of the configuration, where SUMO works."""
        return (self.space.scenario / self.config_path).parent

    def run(self) -> None:
        try:
            with self.stop.interruptible():
                self.fetch()
                self.check()
                self.dry_run()
                self.edges = EdgeOutput.prepare(self.report, self.plan, scenario=self.folder, space=self.space)
            self.simulate()
        except RunEnd as end:
            self.report.end(end.outcome, end.problems)
        except InvalidScenario as error:
            self.report.end(Outcome.INVALID_SCENARIO, error.problems)
        self.report.write_termination_message(self.pod.termination_message)  # should the rest be cut short
        if self.report.outcome is Outcome.UNREACHABLE:  # there is nothing to store, and nobody to take it
            return
        self.collect()
        self.upload()

    def fetch(self) -> None:
        self.console.phase("fetching", "Fetching the scenario.")
        fetch_scenario(
            self.control_plane,
            self.space.archive,
            sha256=self.description.scenario_sha256,
            deadline=self.wall_deadline,
        )

    def check(self) -> None:
        """The upload was checked with the same functions; the pod does not rely on it."""
        self.console.phase("checking", "Checking and unpacking the scenario.")
        size = self.space.archive.stat().st_size
        limits = ArchiveLimits(
            bytes=size, files=self.description.limits.files, unpacked_bytes=self.description.limits.unpacked_bytes
        )
        inspection = scenario_check.check_scenario(
            self.space.archive, config=self.description.config, limits=limits, cpu_s=CHECK_CPU_S
        )
        self.report.warnings += [each for each in inspection.warnings if not self.plan.overrules(each)]
        if inspection.problems or inspection.config is None:
            raise InvalidScenario(inspection.problems or [Problem("config.none", "The scenario has no configuration.")])
        self.config_path = inspection.config
        checked = inspection.configs[self.config_path]
        self.demand, self.discards = checked.demand, checked.discards
        files = archive.unpack(self.space.archive, self.space.scenario, limits)
        self.space.archive.unlink()
        self.report.input = {
            "sha256": self.description.scenario_sha256,
            "bytes": size,
            "files": len(files),
            "config": self.config_path,
        }
        self.plan = RunPlan(self.description, sumocfg.read(self.space.scenario / self.config_path))
        self.make_output_folders()

    def make_output_folders(self) -> None:
        """Reads the inputs to their end, so it may find what the check of the upload did not come to."""
        deadline = time.monotonic() + MAX_SCAN_S
        named = named_outputs(self.space.scenario, self.config_path, self.plan.config, deadline=deadline)
        if refused := [output.problem for output in named if output.problem is not None]:
            raise InvalidScenario(refused[:MAX_LISTED])
        outputs.make_output_folders(self.space.scenario, named)

    def dry_run(self) -> None:
        """Only where the run itself would see a mistake late; its verdict is the run's."""
        self.report.warnings += connectivity.check(self.folder, self.plan.config)
        if not self.plan.loads_as_it_goes:
            return
        self.console.phase("preflight", "Reading all demand in a dry run without traffic.")
        budget_s = min(preflight.MAX_S, preflight.MAX_SHARE * self.description.limits.wall_s)
        watch = Watch(
            self.stop,
            wall_deadline=time.monotonic() + budget_s,
            folders=[self.space.scratch],
            output_bytes=self.description.limits.output_bytes,
            bytes_before=folder_bytes(self.space.scenario),
        )
        with self.space.log.open("w", encoding="utf-8") as log:
            run = preflight.dry_run(
                binary=self.pod.binary,
                scenario=self.space.scenario,
                scratch=self.space.scratch,
                config_path=self.config_path,
                content=self.plan.dry_run_content,
                environment=self.pod.for_sumo,
                log=log,
                should_stop=watch,
            )
        self.report.dry_run = run
        if run.stopped_for is not None:
            sentence = f"The dry run was ended after {run.wall_s:.0f} s; mistakes in late demand may still end the run."
            self.report.warnings.append(Problem("preflight.too_long", sentence))
        if problems := preflight.problems_of(run):
            for problem in problems:
                self.console.log("error", problem.message)
            raise RunEnd(Outcome.INVALID_SCENARIO, problems)

    def simulate(self) -> None:
        self.plan = replace(self.plan, with_edges=self.edges is not None)
        try:
            (self.folder / preflight.CONFIG_NAME).write_bytes(self.plan.content(str(self.space.out)))
        except IsADirectoryError:
            message = (
                f"A folder of the scenario has the name of the run's own configuration, '{preflight.CONFIG_NAME}'."
            )
            raise InvalidScenario([Problem("config.reserved_name", message, hint="Give it another name.")]) from None
        before = outputs.listing(self.space.scenario)
        folders = [self.space.scenario, self.space.out]
        watch = Watch(
            self.stop,
            wall_deadline=self.wall_deadline,
            folders=folders,
            output_bytes=self.description.limits.output_bytes,
            bytes_before=sum(folder_bytes(each) for each in folders),
        )
        begin, end = self.plan.effective.begin, self.plan.effective.end
        until = f"{plain(end)} s" if end is not None else "all vehicles have left"
        self.console.phase("running", f"SUMO simulates {self.config_path} from {plain(begin)} s until {until}.")
        trail = Trail()
        poster = ProgressPoster(self.control_plane, period_s=PROGRESS_POST_S)

        def emit(record: dict[str, Any]) -> None:
            self.console.progress(record)
            poster.offer({**record, "trail": trail.after(record)})

        meter = ProgressMeter(begin=begin, end=end, period_s=self.description.progress_s, emit=emit)
        with (
            self.space.log.open("w", encoding="utf-8") as log,
            SummaryFiles(
                self.space.out, period_s=self.description.summary_period_s, own=self._own_summary()
            ) as summary,
        ):

            def on_record(record: StepRecord, line: str) -> None:
                summary.write(record, line)
                meter.record(record)

            supervisor = Supervisor(log=log, should_stop=watch, on_record=on_record, on_message=self.console.log)
            self.report.run = supervisor.run
            poster.start()
            try:
                run = supervisor.execute(
                    [self.pod.binary, "-c", preflight.CONFIG_NAME], cwd=self.folder, environment=self.pod.for_sumo
                )
                meter.flush()
            finally:
                poster.stop()
        self.written = outputs.written_since(self.space.scenario, before)
        self.report.warnings_total = run.warnings_total
        self.report.warnings += [Problem("sumo.warning", text) for text in run.warnings]
        self.report.end(run.outcome, collecting.run_problems(run))

    def _own_summary(self) -> Path | None:
        """Where the scenario asks for SUMO's summary, if that lies in it."""
        if self.plan.own_summary is None:
            return None
        path = Path(os.path.normpath(self.folder / self.plan.own_summary))
        return path if path.is_relative_to(self.space.scenario) else None

    def collect(self) -> None:
        collector = Collector(self.report, self.space.artifacts)
        effective, of_trips = None, {}
        run = self.report.run
        if run is not None and run.last is None and run.outcome is not Outcome.SUCCEEDED:  # ended before its first step
            self.space.empty_out()
        elif run is not None:
            self.console.phase("collecting", "Checking and packing the results.")
            of_trips = collecting.read_results(
                self.report, run, self.space.out,
                job=self.description, demand=self.demand,
                drops_late=self.plan.drops_late and not self.discards, scale=self.plan.scale,
            )  # fmt: skip
            effective = self.plan.content("results")
            if self.edges:
                latest = math.inf if self.stop.at is None else self.stop.at + STOPPED_EDGES_S
                self.edges.collect(self.report, self.space, latest=latest)
        collector.collect_own(self.space.out, self.space.log, effective, of_trips)
        collector.collect_scenarios_own(self.space.scenario, self.written)

    def upload(self) -> None:
        self.console.phase("uploading", f"Storing the results: {len(self.report.files)} file(s).")
        delivery = ResultUpload(self.control_plane, self.report, deadline=self._upload_deadline)
        delivery.deliver(self.description, self.space.artifacts)

    def _upload_deadline(self) -> float:
        deadline = self.wall_deadline + UPLOAD_S
        return deadline if self.stop.at is None else min(deadline, self.stop.at + STOPPED_UPLOAD_S)


def refuse_unsafe(job: JobDescription) -> None:
    """The same check of the request that the control plane made: an old or forged description is no way round.

    Raises RunEnd(INVALID_JOB).
    """
    found = options.check_request(
        options=job.options,
        outputs=list(job.outputs),
        begin=job.begin,
        end=job.end,
        step_length=job.step_length,
        scale=job.scale,
        seed=job.seed,
        edges_interval_s=job.edges_interval_s,
        window_begin=job.window_begin,
        window_end=job.window_end,
    )
    if problems := listed(found):
        raise RunEnd(Outcome.INVALID_JOB, problems)


def main() -> int:
    """Run the job that the environment describes; returns the exit code."""
    started = time.monotonic()
    hide_from_other_processes()
    stop, console, report = StopSignal(), Console(sys.stdout), Report()
    stop.install()
    termination_message = termination_message_path(os.environ)
    try:
        pod = PodEnvironment.take(os.environ)
        job = JobDescription.parse(pod.job)
        refuse_unsafe(job)
        scenario = f"scenario {job.scenario_id} version {job.scenario_version}"
        console.phase("starting", f"Job {job.job_id}, attempt {job.attempt}: {scenario}, seed {job.seed}.")
        Runner(pod, job, report=report, console=console, stop=stop, started=started).run()
    except RunEnd as end:
        report.end(end.outcome, end.problems)
    except Exception as error:  # noqa: BLE001 - the outermost handler: whatever it is, it must be reported
        console.log("error", traceback.format_exc()[-LAST_TRACE_CHARS:])
        report.end(Outcome.INTERNAL, [Problem("runner.internal", f"{type(error).__name__}: {error}")])
    outcome = report.outcome or Outcome.INTERNAL
    for problem in report.errors:
        console.log("error", f"{problem.code}: {problem.message}")
    report.write_termination_message(termination_message)
    console.result(report.summary())
    return outcome.exit_code
