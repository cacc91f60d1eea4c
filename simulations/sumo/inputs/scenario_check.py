"""The check of an uploaded scenario: reads the zip in place, runs no SUMO, lists everything that is wrong at once."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..protocol.problems import InvalidScenario, Problem, shown
from .archive import Archive, ArchiveLimits, Source, open_archive
from .config_check import ConfigCheck, ConfigReport
from .cpu_budget import CpuBudget
from .scenario_paths import NearMisses

CONFIG_SUFFIXES = (".sumocfg", ".sumo.cfg")
# For archives without either: names under which configurations have been published too.
RARE_CONFIG_SUFFIXES = (".cfg", ".sumocfg.xml", ".sumo.xml", "sumocfg.txt")
MAX_CANDIDATES = 50
MAX_CPU_S = 2.0


@dataclass(frozen=True)
class Inspection:
    """What was found in an archive. `problems` refuse the upload: the archive's own and the chosen configuration's."""

    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    config: str | None
    configs: Mapping[str, ConfigReport]
    files: int
    unpacked_bytes: int

    @property
    def config_candidates(self) -> list[str]:
        """Paths of the configurations, shallowest first."""
        return list(self.configs)

    def as_dict(self) -> dict[str, Any]:
        """As JSON, to be stored with the scenario.

        {problems, warnings, config, config_candidates, files, unpacked_bytes, begin, end, step_length, net, demand,
        inputs (of the chosen configuration), configs: {path: ConfigReport.as_dict()}}
        """
        chosen = self.configs.get(self.config or "", ConfigReport(path=self.config or "")).as_dict()
        return {
            "problems": [problem.as_dict() for problem in self.problems],
            "warnings": [warning.as_dict() for warning in self.warnings],
            "config": self.config,
            "config_candidates": self.config_candidates,
            "files": self.files,
            "unpacked_bytes": self.unpacked_bytes,
            **{key: chosen[key] for key in ("begin", "end", "step_length", "net", "demand", "inputs")},
            "configs": {path: report.as_dict(chosen=path == self.config) for path, report in self.configs.items()},
        }


def check_scenario(
    source: Source, *, config: str | None = None, limits: ArchiveLimits | None = None, cpu_s: float = MAX_CPU_S
) -> Inspection:
    """Look at a zip without unpacking it to disk. Never raises for bad input: see `problems`.

    `config` names the configuration to run; without it, the one that lies alone at the shallowest level is taken. It is
    looked at first. After `cpu_s` CPU seconds of this thread the rest is left, and told as `upload.check_too_long`: a
    warning where inputs were not looked into, a problem of each configuration that was not reached.
    """
    budget = CpuBudget(cpu_s)
    try:
        with open_archive(source, limits or ArchiveLimits()) as archive:
            return _inspect(archive, config or None, budget)
    except InvalidScenario as error:
        return Inspection(error.problems, (), None, {}, 0, 0)


def check_config_choice(inspection: Mapping[str, Any], config: str | None) -> list[Problem]:
    """Whether a job may run `config` (None: the one chosen at upload) of a stored `Inspection.as_dict()`.

    An unknown path gives `config.not_found`; a configuration with problems gives those problems.
    """
    path = inspection["config"] if config is None else config
    report = inspection["configs"].get(path)
    if report is None:
        return [_not_found(str(path), list(inspection["configs"]))]
    return [Problem(**problem) for problem in report["problems"]]


def _inspect(archive: Archive, wanted: str | None, budget: CpuBudget) -> Inspection:
    nothing = Inspection((), (), None, {}, len(archive.files), archive.unpacked_bytes)
    if any(problem.code in ("zip.too_big", "zip.ratio", "zip.overlap") for problem in archive.problems):
        return replace(nothing, problems=tuple(archive.problems))  # not to be unpacked, not even in memory
    if wanted is not None:
        wanted = posixpath.normpath(wanted.replace("\\", "/"))
    found = _candidates(archive)
    candidates = found[:MAX_CANDIDATES]
    if wanted in archive.files and wanted not in candidates:
        candidates.append(wanted)
    chosen = wanted or _only_shallowest(candidates)
    check = ConfigCheck(archive, budget)
    reports = {path: check.report(path) for path in sorted(candidates, key=lambda path: path != chosen)}
    configs = {path: reports[path] for path in candidates}
    problems = list(archive.problems)
    warnings: list[Problem] = []
    if chosen in configs:
        problems += configs[chosen].problems
        warnings += configs[chosen].warnings
    elif wanted is not None:
        problems.append(_not_found(wanted, candidates))
        chosen = None
    elif candidates:
        problems.append(_ambiguous(configs))
    elif not any((problem.where or "").lower().endswith(CONFIG_SUFFIXES) for problem in problems):  # one was refused
        problems.append(_none(archive))
    if len(found) > MAX_CANDIDATES:
        message = f"The archive holds {len(found)} configurations; {MAX_CANDIDATES} of them can be run."
        hint = "Name another in the field 'config' when you upload."
        warnings.append(Problem("config.too_many", message, hint=hint))
    return replace(nothing, problems=tuple(problems), warnings=tuple(warnings), config=chosen, configs=configs)


def _candidates(archive: Archive) -> list[str]:
    for suffixes in (CONFIG_SUFFIXES, RARE_CONFIG_SUFFIXES):
        found = [path for path in archive.files if path.lower().endswith(suffixes)]
        if found:
            return sorted(found, key=lambda path: (path.count("/"), path))
    return []


def _only_shallowest(candidates: list[str]) -> str | None:
    depths = [path.count("/") for path in candidates]
    return candidates[0] if depths.count(min(depths, default=0)) == 1 else None


def _none(archive: Archive) -> Problem:
    hint = "Add one, or name the file that is one in the field 'config'."
    if inner := next((path for path in archive.files if path.lower().endswith(".zip")), None):
        hint = f"It holds another archive, '{shown(inner)}': is that the scenario? Upload it by itself."
    return Problem("config.none", "The archive holds no SUMO configuration (*.sumocfg).", hint=hint)


def _ambiguous(configs: Mapping[str, ConfigReport]) -> Problem:
    message = f"The archive holds {len(configs)} configurations: {', '.join(configs)}."
    runnable = [path for path, report in configs.items() if not report.problems]
    hint = "Name one as its configuration (the field 'config')."
    if runnable and len(runnable) < len(configs):
        hint += f" Nothing wrong was found with: {', '.join(runnable)}."
    return Problem("config.ambiguous", message, hint=hint)


def _not_found(path: str, candidates: list[str]) -> Problem:
    hint = NearMisses(candidates).hint("", path)
    if hint is None and candidates:
        hint = f"The archive has: {', '.join(candidates)}."
    return Problem("config.not_found", f"The archive has no configuration '{path}'.", path, hint)
