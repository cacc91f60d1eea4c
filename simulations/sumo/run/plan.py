"""What SUMO is told: the scenario's configuration, the job's wishes, and what the runner needs to watch the run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from simulations.sumo.inputs import config_rules, options, sumocfg
from simulations.sumo.inputs.scenario_paths import decoded
from simulations.sumo.inputs.sumocfg import OptionValue, SumoConfig
from simulations.sumo.protocol.description import JobDescription
from simulations.sumo.protocol.problems import Problem
from simulations.sumo.run import collecting

DAY_S = 86_400.0
LEAST_STEP_S = 0.001  # SUMO counts in milliseconds
ROUTE_STEPS = "200"  # SUMO's default: it reads route files as it goes, so many seconds ahead
# Every vehicle is dropped as it would depart. With `scale` 0 SUMO would read all demand at once, past the end.
NO_TRAFFIC: Mapping[str, OptionValue] = {"max-num-vehicles": 0, "max-depart-delay": 0}
NOT_XML = (".csv", ".parquet")
OF_TIMES = {"config.no_end": "end", "demand.after_end": "end", "demand.before_begin": "begin"}  # warnings of the check
EDGES_FILE = "edges.add.xml"  # in the results' folder; see `run.edges`


@dataclass(frozen=True)
class RunPlan:
    """The run of one job. `config` is the scenario's own; results go to a folder that is named last."""

    job: JobDescription
    config: SumoConfig
    with_edges: bool = False

    def content(self, out: str) -> bytes:
        """The configuration of the run, whose results go to the folder `out`."""
        return sumocfg.effective(self.config, self._overrides(out))

    @cached_property
    def effective(self) -> SumoConfig:
        """The options of the run."""
        return sumocfg.read(self.content("results"))

    @property
    def loads_as_it_goes(self) -> bool:
        """Whether SUMO may see a mistake in the demand only long after the run has begun."""
        options = self.effective.options
        ahead = sumocfg.parse_time(options.get("route-steps", ROUTE_STEPS))  # 0: all of it at once
        end = math.inf if self.effective.end is None else self.effective.end
        return "route-files" in options and 0 < ahead < end - self.effective.begin

    def overrules(self, warning: Problem) -> bool:
        """Whether it speaks of a time of the configuration that the job sets otherwise."""
        asked = {"begin": self.job.begin, "end": self.job.end}
        return asked.get(OF_TIMES.get(warning.code, "")) is not None

    @property
    def drops_late(self) -> bool:
        """Whether vehicles that wait for `max-depart-delay` are discarded.

        With them, SUMO counts those that `scale` thins out and those that a calibrator cannot place.
        """
        return _drops_late(self.effective)

    @property
    def scale(self) -> float:
        return float(self.effective.options.get("scale", "1"))

    @property
    def dry_run_content(self) -> bytes:
        """The same run without traffic and without outputs, at most a day of it.

        It reads the same parts of the route files in the same order, so that it stumbles where the run would.
        """
        options = {name: value for name, value in self.effective.options.items() if not _is_written(name)}
        begin, end = self.effective.begin, self.effective.end
        until = begin + DAY_S if end is None else min(end, begin + DAY_S)
        own: dict[str, OptionValue] = {"verbose": True, "no-step-log": True, "no-warnings": True, "seed": self.job.seed}
        return sumocfg.effective(SumoConfig(options), {**own, **NO_TRAFFIC, "end": until})

    @property
    def own_summary(self) -> str | None:
        """The name under which the scenario itself asks for SUMO's summary, relative to its configuration."""
        name = decoded(self.config.options.get("summary-output", "")).strip()
        return name if name and name.isprintable() and PurePosixPath(name).suffix not in NOT_XML else None

    def _overrides(self, out: str) -> dict[str, OptionValue]:
        job = self.job
        wishes = options.request_overrides(
            options=job.options,
            outputs=list(job.outputs),
            emissions=job.emissions,
            output_dir=out,
            seed=job.seed,
            begin=job.begin,
            end=job.end,
            step_length=job.step_length,
            scale=job.scale,
        )
        own: dict[str, OptionValue] = {
            "verbose": True,
            "no-step-log": True,
            "no-warnings": False,  # they tell which vehicles SUMO left out
            "duration-log.statistics": True,
            "summary-output": "stdout",
            "summary-output.period": self._summary_period_s(wishes),
            "statistic-output": f"{out}/{collecting.STATISTICS}",
            "tripinfo-output": f"{out}/{collecting.TRIPINFO}",
        }
        if self.own_summary:  # as often as the scenario wants it; SUMO's default is every step
            own["summary-output.period"] = self.config.options.get("summary-output.period", -1)
        if job.has_window:  # the whole of its trips, also of those that do not end
            own["tripinfo-output.write-unfinished"] = own["tripinfo-output.write-undeparted"] = True
        if self._computes_emissions(wishes):  # who stands in a jam to the end emits too
            own["tripinfo-output.write-unfinished"] = True
        if self.with_edges:
            files = self.config.options.get("additional-files")
            own["additional-files"] = f"{files},{out}/{EDGES_FILE}" if files else f"{out}/{EDGES_FILE}"
        return {**wishes, **own}

    def _summary_period_s(self, wishes: Mapping[str, OptionValue]) -> float:
        """SUMO writes the last step too, unless the end is a whole number of periods away: then who was dropped in the
        last one would not be counted."""
        asked, period = sumocfg.read(sumocfg.effective(self.config, wishes)), self.job.summary_period_s
        if asked.end is None or asked.end <= asked.begin or not _drops_late(asked):
            return period
        while (asked.end - asked.begin) % period == 0:
            period += max(asked.step_length, LEAST_STEP_S)
        return period

    def _computes_emissions(self, wishes: Mapping[str, OptionValue]) -> bool:
        return float({**self.config.options, **wishes}.get("device.emissions.probability", 0)) > 0


def _drops_late(config: SumoConfig) -> bool:
    return sumocfg.parse_time(config.options.get("max-depart-delay", "-1")) >= 0


def _is_written(name: str) -> bool:
    return config_rules.is_output(name) or name.startswith("save-state.")
