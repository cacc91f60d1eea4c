"""The check of one configuration of an archive: its options, every file it needs, and what it would write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from ..protocol.problems import InvalidScenario, Problem, ProblemList
from . import config_rules, demand, output_rules, sumocfg
from .archive import Archive
from .cpu_budget import CheckTooLong, CpuBudget
from .input_files import INCLUDED_BY_ROUTES, ArchiveInputs, InputFile, InputFiles
from .scenario_paths import decoded
from .sumocfg import SumoConfig

MAX_LISTED_INPUTS = 500
# Of the configurations that were not chosen, the less is kept: there may be many.
MAX_OTHERS_LISTED = 5
MAX_OTHERS_INPUTS = 20
LONG_FCD_S = 3600
NET_PARTS = ("edges", "junctions", "lanes", "traffic_lights")
DEMAND_PARTS = ("vehicles", "flows", "persons")


@dataclass(frozen=True)
class ConfigReport:
    """What one configuration of the archive would run, and what is wrong with it. Times in seconds.

    `net` is {edges, junctions, lanes, traffic_lights, complete}, `demand` {vehicles, flows, persons, complete};
    `complete` is false where counting stopped at its bound. `discards`, which is the runner's own: the demand itself
    leaves vehicles out, by a type's scale or a calibrator. Without an end the run lasts until all vehicles have left.
    """

    path: str
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    begin: float | None = None
    end: float | None = None
    step_length: float | None = None
    seed: int | None = None
    inputs: tuple[InputFile, ...] = ()
    net: Mapping[str, int | bool] | None = None
    demand: Mapping[str, int | bool] | None = None
    discards: bool = False

    def as_dict(self, *, chosen: bool = True) -> dict[str, Any]:
        """As JSON, with at most MAX_LISTED_INPUTS inputs; of one that was not chosen, with the first few of all."""
        listed, inputs = (None, MAX_LISTED_INPUTS) if chosen else (MAX_OTHERS_LISTED, MAX_OTHERS_INPUTS)
        plain = asdict(replace(self, inputs=(), problems=(), warnings=()))
        del plain["discards"]
        return {
            **plain,
            "problems": [problem.as_dict() for problem in self.problems[:listed]],
            "warnings": [warning.as_dict() for warning in self.warnings[:listed]],
            "inputs": [asdict(file) for file in self.inputs[:inputs]],
        }


class ConfigCheck:
    """Checks the configurations of one archive, as long as the budget lasts."""

    def __init__(self, archive: Archive, budget: CpuBudget) -> None:
        self._source = ArchiveInputs(archive, budget)

    def report(self, path: str) -> ConfigReport:
        """Everything about the configuration at this archive path."""
        budget = self._source.budget
        try:
            budget.check()
            config = sumocfg.read_chunks(self._source.chunks(path), path, tick=budget.check)
            return self._report(path, config)
        except InvalidScenario as error:
            if self._source.is_lfs_pointer(path):
                message = f"The configuration '{path}' is only a pointer of Git LFS, not the file itself."
                hint = "Run 'git lfs pull' and make the zip again."
                return ConfigReport(path, problems=(Problem("input.git_lfs", message, path, hint),))
            return ConfigReport(path, problems=error.problems)
        except CheckTooLong:
            message = f"There was no time to check '{path}': the archive takes longer than a check may."
            hint = "Upload it with fewer configurations and smaller ones, or name this one in the field 'config'."
            return ConfigReport(path, problems=(Problem("upload.check_too_long", message, path, hint),))

    def _report(self, path: str, config: SumoConfig) -> ConfigReport:
        inputs = InputFiles(self._source)
        options = ProblemList()
        options.extend(config_rules.problems(config.options, path))
        options.extend(_time_problems(config, path))
        if not options.has("option.too_many_files"):
            for option, kind in config_rules.INPUTS.items():
                for written in config.files(option):
                    if "${" not in written:  # else a problem of the option already
                        inputs.add(path, decoded(written), kind)
        problems, warnings = ProblemList(), ProblemList()
        warnings.extend(_warnings(config, path))
        problems.extend(options)
        self._judge_outputs(config, path, inputs, problems, warnings)
        problems.extend(inputs.problems)
        warnings.extend(inputs.warnings)
        if not options.has("option.bad_value"):  # such as a step of no length
            self._judge_demand(config, path, inputs, problems, warnings)
        if not self._source.all_looked_into:
            message = "There was no time to look into all inputs; what is wrong in them shows when the job starts."
            warnings.add(Problem("upload.check_too_long", message, path))
        return ConfigReport(
            path,
            problems=problems.all(path),
            warnings=warnings.all(path),
            begin=config.begin,
            end=config.end,
            step_length=config.step_length,
            seed=config.seed,
            inputs=tuple(inputs.files.values()),
            net=inputs.counted("net", NET_PARTS),
            demand=inputs.counted("demand", DEMAND_PARTS),
            discards=any(scan.discards for scan in inputs.scans.values()),
        )

    def _judge_outputs(
        self, config: SumoConfig, path: str, inputs: InputFiles, problems: ProblemList, warnings: ProblemList
    ) -> None:
        archive, read = self._source.archive, {path, *inputs.files}
        for output in self._outputs(config, path, inputs):
            self._source.budget.check()
            problem = output.problem or output_rules.clash(
                output, inputs=read, files=archive.files, folders=archive.folders
            )
            if problem:
                problems.add(problem)
            elif warning := output_rules.name_warning(output):
                warnings.add(warning)

    def _outputs(self, config: SumoConfig, path: str, inputs: InputFiles) -> Iterator[output_rules.NamedOutput]:
        yield from output_rules.option_outputs(config.options, path)
        for where, scan in inputs.scans.items():
            for written in scan.written:
                yield output_rules.locate(written, where, path)

    def _judge_demand(
        self, config: SumoConfig, path: str, inputs: InputFiles, problems: ProblemList, warnings: ProblemList
    ) -> None:
        nets = [scan for _, scan in inputs.scanned("net")]
        known = nets[0].edges if len(nets) == 1 else set().union(*(net.edges for net in nets))
        knows = bool(nets) and all(net.edges and net.complete for net in nets)
        slices = [scan.demand for _, scan in inputs.scanned("routes")]
        read = demand.read_until(slices, config, tick=self._source.budget.check)
        for file, scan in [*inputs.scanned("additional"), *inputs.scanned("routes")]:
            self._source.budget.check()
            problems.extend(demand.mistakes(file, scan.demand, read))
            if knows:
                problems.extend(demand.unknown_edges(file, scan.demand, read, known))
            warnings.extend(demand.order_warning(file, scan.demand))
        others = [scan.demand for kind in ("additional", INCLUDED_BY_ROUTES) for _, scan in inputs.scanned(kind)]
        if not problems and (warning := demand.emptiness_warning(path, [*slices, *others], config)):
            warnings.add(warning)


def _time_problems(config: SumoConfig, path: str) -> list[Problem]:
    problems = []
    if config.begin < 0:
        problems.append(Problem("option.bad_value", "The begin time is negative.", path))
    if config.end is not None and config.end < config.begin:
        problems.append(Problem("option.bad_value", "The end time lies before the begin time.", path))
    if config.step_length < 0.001:
        problems.append(Problem("option.bad_value", "The step length is below SUMO's least, 0.001 s.", path))
    return problems


def _warnings(config: SumoConfig, path: str) -> Iterator[Problem]:
    if config.end is None:
        message = "The configuration sets no end: the run lasts until all vehicles have left, without a percentage."
        yield Problem("config.no_end", message, path, "Give the job an 'end' to bound it.")
    if "fcd-output" in config.options and (config.end is None or config.end - config.begin > LONG_FCD_S):
        message = "The configuration writes every vehicle in every step (fcd-output) for more than an hour."
        yield Problem("output.large", message, path, "Set 'device.fcd.period', or leave it out.")
    taken_over = [
        name
        for name, value in config.options.items()
        if (name in config_rules.TAKEN_OVER and name != "seed") or config_rules.kept_value(name, value) != value
    ]
    if taken_over:
        message = f"A hosted run sets these options itself: {', '.join(taken_over)}."
        yield Problem("option.taken_over", message, path)
    if config.left_out:
        message = f"A hosted run leaves out options of a GUI that it does not have: {', '.join(config.left_out)}."
        yield Problem("option.left_out", message, path)
