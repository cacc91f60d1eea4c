"""The check of one configuration of an archive: its options, and every file it needs."""

from __future__ import annotations

import math
import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from simulations.sumo import config_rules, input_scan, sumocfg
from simulations.sumo.archive import Archive
from simulations.sumo.input_scan import InputScan
from simulations.sumo.problems import InvalidScenario, Problem
from simulations.sumo.scenario_paths import NearMisses, decoded, resolve
from simulations.sumo.sumocfg import SumoConfig

MiB = 1024**2
# How much of an input is looked at (unpacked); what lies beyond is for SUMO's own dry run.
MAX_NET_BYTES = 32 * MiB
MAX_INPUT_BYTES = 8 * MiB
MAX_TOTAL_BYTES = 64 * MiB
MAX_LISTED = 50
MAX_LISTED_INPUTS = 500
LONG_FCD_S = 3600
SCANNED_KINDS = frozenset({"net", "routes", "additional"})
NET_PARTS = ("edges", "junctions", "lanes", "traffic_lights")
DEMAND_PARTS = ("vehicles", "flows", "persons")


@dataclass(frozen=True)
class InputFile:
    """An input that a configuration names. `kind` is net, routes, additional, … ; `bytes` as it is in the archive."""

    path: str
    kind: str
    bytes: int


@dataclass(frozen=True)
class ConfigReport:
    """What one configuration of the archive would run, and what is wrong with it. Times in seconds.

    `net` is {edges, junctions, lanes, traffic_lights, complete}, `demand` {vehicles, flows, persons, complete};
    `complete` is false where counting stopped at its bound. Without an end the run lasts until all vehicles have left.
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

    def as_dict(self) -> dict[str, Any]:
        """As JSON, with at most MAX_LISTED_INPUTS inputs."""
        return {
            **asdict(replace(self, inputs=())),
            "problems": [problem.as_dict() for problem in self.problems],
            "warnings": [warning.as_dict() for warning in self.warnings],
            "inputs": [asdict(file) for file in self.inputs[:MAX_LISTED_INPUTS]],
        }


class ConfigCheck:
    """Checks the configurations of one archive; a file that several of them name is looked at once."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._near = NearMisses(archive.files)
        self._scans: dict[str, InputScan] = {}
        self._left = MAX_TOTAL_BYTES

    def report(self, path: str) -> ConfigReport:
        """Everything about the configuration at this archive path."""
        try:
            config = sumocfg.read_chunks(self._archive.chunks(path), path)
        except InvalidScenario as error:
            return ConfigReport(path, problems=error.problems)
        inputs = _Inputs()
        for option, kind in config_rules.INPUTS.items():
            for written in config.files(option):
                self._add(inputs, path, decoded(written), kind)
        problems = [
            *config_rules.problems(config.options, path),
            *_time_problems(config, path),
            *inputs.problems,
            *self._unknown_edges(config, inputs),
        ]
        if len(problems) > MAX_LISTED:
            more = Problem("config.more", f"{len(problems) - MAX_LISTED} more problems are not listed.", path)
            problems = [*problems[:MAX_LISTED], more]
        return ConfigReport(
            path,
            problems=tuple(problems),
            warnings=(*_warnings(config, path), *inputs.warnings),
            begin=config.begin,
            end=config.end,
            step_length=config.step_length,
            seed=config.seed,
            inputs=tuple(inputs.files.values()),
            net=inputs.counted("net", NET_PARTS),
            demand=inputs.counted("demand", DEMAND_PARTS),
        )

    def _add(self, inputs: _Inputs, named_in: str, written: str, kind: str) -> None:
        """One input and, if it includes others, those too."""
        waiting = [(named_in, written, kind)]
        while waiting:
            named_in, written, kind = waiting.pop()
            if "${" in written:
                continue  # a problem of the option already
            base = posixpath.dirname(named_in)
            path = resolve(base, written)
            if path is None:
                message = f"The {kind} file '{written}' lies outside the archive."
                hint = self._near.hint("", posixpath.basename(written.replace("\\", "/")))
                inputs.problems.append(Problem("input.outside_archive", message, named_in, hint))
            elif kind == "folder" or path in inputs.files:
                continue
            elif path not in self._archive.files:
                message = f"The {kind} file '{written}' is not in the archive."
                inputs.problems.append(Problem("input.missing", message, named_in, self._near.hint(base, written)))
            else:
                inputs.files[path] = InputFile(path, kind, self._archive.files[path])
                if kind in SCANNED_KINDS:
                    scan = self._scan(path, kind)
                    inputs.take(path, kind, scan)
                    waiting += [(path, read, "additional") for read in scan.reads]

    def _unknown_edges(self, config: SumoConfig, inputs: _Inputs) -> Iterator[Problem]:
        """Routes over edges that the network does not have, as far as the run would come to them."""
        scans = {file.path: self._scans[file.path] for file in inputs.files.values() if file.path in self._scans}
        nets = [scans[file.path] for file in inputs.files.values() if file.kind == "net"]
        if config.is_on("ignore-route-errors") or not nets or not all(net.edges and net.complete for net in nets):
            return
        known = set().union(*(net.edges for net in nets))
        end = math.inf if config.end is None else config.end
        for path, scan in scans.items():
            unknown = [edge for edge, at in scan.driven.items() if at < end and edge not in known and edge[:1] != ":"]
            if unknown:
                some = ", ".join(f"'{edge}'" for edge in unknown[:5]) + (", …" if len(unknown) > 5 else "")
                message = f"'{path}' has routes over {len(unknown)} edges that the network does not have: {some}."
                hint = "Do the routes and the network belong together?"
                yield Problem("input.unknown_edge", message, path, hint)

    def _scan(self, path: str, kind: str) -> InputScan:
        if path not in self._scans:
            limit = min(MAX_NET_BYTES if kind == "net" else MAX_INPUT_BYTES, self._left)
            try:
                scan = input_scan.scan(self._archive.chunks(path), path, limit=limit)
            except InvalidScenario as error:
                scan = InputScan(problems=list(error.problems))
            self._left -= min(scan.bytes_read, self._left)
            self._scans[path] = scan
        return self._scans[path]


class _Inputs:
    """What the input files of one configuration add up to."""

    def __init__(self) -> None:
        self.files: dict[str, InputFile] = {}
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self._counts: dict[str, Counter[str]] = {}
        self._complete: dict[str, bool] = {}

    def take(self, path: str, kind: str, scan: InputScan) -> None:
        self.problems += scan.problems
        self.warnings += scan.warnings
        if scan.root and not scan.problems and (problem := input_scan.kind_problem(path, kind, scan.root)):
            self.problems.append(problem)
        total = "net" if kind == "net" else "demand"
        self._counts.setdefault(total, Counter()).update(scan.counts)
        self._complete[total] = self._complete.get(total, True) and scan.complete

    def counted(self, total: str, parts: tuple[str, ...]) -> dict[str, int | bool] | None:
        if total not in self._counts:
            return None
        return {**{part: self._counts[total][part] for part in parts}, "complete": self._complete[total]}


def _time_problems(config: SumoConfig, path: str) -> list[Problem]:
    problems = []
    if config.begin < 0:
        problems.append(Problem("option.bad_value", "The begin time is negative.", path))
    if config.end is not None and config.end < config.begin:
        problems.append(Problem("option.bad_value", "The end time lies before the begin time.", path))
    if config.step_length < 0.001:
        problems.append(Problem("option.bad_value", "The step length is below SUMO's least, 0.001 s.", path))
    return problems


def _warnings(config: SumoConfig, path: str) -> list[Problem]:
    warnings = []
    if config.end is None:
        message = "The configuration sets no end: the run lasts until all vehicles have left, without a percentage."
        warnings.append(Problem("config.no_end", message, path, "Give the job an 'end' to bound it."))
    outputs = [value for name, value in config.options.items() if config_rules.is_output(name)]
    outside = [value for value in outputs if resolve(posixpath.dirname(path), value) is None]
    warnings += [
        Problem("output.outside", f"The output '{value}' lies outside the scenario and will not be kept.", path)
        for value in outside[:MAX_LISTED]
    ]
    backslashes = [value for value in outputs if "\\" in value and value not in outside]
    warnings += [config_rules.backslash_problem(path, value) for value in backslashes[:MAX_LISTED]]
    if "fcd-output" in config.options and (config.end is None or config.end - config.begin > LONG_FCD_S):
        message = "The configuration writes every vehicle in every step (fcd-output) for more than an hour."
        warnings.append(Problem("output.large", message, path, "Set 'device.fcd.period', or leave it out."))
    taken_over = [
        name
        for name in config.options
        if (name in config_rules.TAKEN_OVER and name != "seed") or name == "tripinfo-output"
    ]  # the latter is checked as an output and then written under our own name
    if taken_over:
        message = f"A hosted run sets these options itself: {', '.join(taken_over)}."
        warnings.append(Problem("option.taken_over", message, path))
    return warnings
