"""What can be learnt before the run: everything in the inputs that SUMO would stumble over, perhaps hours later.

SUMO loads routes in slices of 200 s, so a mistake in late demand ends a run midway. With ``route-steps 0`` it loads all
of it before the first step, after which it is ended. The end stays the scenario's own: flows without one end with it.
Disconnected routes are not seen; `connectivity` sees them.
"""

import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from simulations.sumo import sumocfg
from simulations.sumo.execution import SumoRun, Supervisor
from simulations.sumo.outcomes import Outcome
from simulations.sumo.outputs import make_output_folders
from simulations.sumo.problems import Problem
from simulations.sumo.sumocfg import OptionValue, SumoConfig

MAX_S = 120.0
CONFIG_NAME = ".run.sumocfg"


def dry_run(
    *,
    binary: str,
    scenario: Path,
    scratch: Path,
    out: Path,
    config_path: str,
    config: SumoConfig,
    overrides: Mapping[str, OptionValue],
    environment: Mapping[str, str],
    log: IO[str],
) -> SumoRun:
    """Load everything and simulate a first step in a copy of the scenario, so that nothing it writes is left.

    `out` is the folder below `scratch` that `overrides` name for our own outputs; beside the copy, not in it, where
    an input may have the same name.

    It is ended with its first step record, or cut off after `MAX_S` (`stopped_for` is TIME_LIMIT): then it proves
    nothing.
    """
    try:
        copy = scratch / "scenario"
        shutil.copytree(scenario, copy)
        out.mkdir()
        config_folder = (copy / config_path).parent
        planned = SumoConfig({**config.options, **{name: sumocfg.as_text(value) for name, value in overrides.items()}})
        first_step = {"route-steps": 0, "summary-output.period": planned.step_length}
        content = sumocfg.effective(config, {**overrides, **first_step})
        (config_folder / CONFIG_NAME).write_bytes(content)
        make_output_folders(copy, config_folder, config)
        deadline = time.monotonic() + MAX_S

        def should_stop() -> Outcome | None:
            if supervisor.run.last is not None:
                return Outcome.INTERRUPTED
            return Outcome.TIME_LIMIT if time.monotonic() > deadline else None

        supervisor = Supervisor(log=log, should_stop=should_stop, grace_s=0)  # nothing that it writes is kept
        return supervisor.execute([binary, "-c", CONFIG_NAME], cwd=config_folder, environment=environment)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def problems_of(run: SumoRun) -> list[Problem]:
    """SUMO's own complaints about the inputs; empty if the dry run passed or proved nothing (killed, crashed, cut)."""
    if run.outcome is not Outcome.SUMO_FAILED or run.last is not None:
        return []
    return sumo_problems("sumo.load", run.errors)


def sumo_problems(code: str, errors: Sequence[str]) -> list[Problem]:
    """SUMO's error messages as problems."""
    return [Problem(code, text) for text in errors] or [
        Problem(code, "SUMO ended with an error and did not say which.")
    ]
