"""What SUMO would stumble over hours into the run, found before it.

SUMO reads route files as it goes, so a mistake in late demand (an unknown edge or type, broken XML) ends a run midway.
The dry run is the same run without traffic: it reads the same parts of the same files in the same order, as fast as an
empty network can be simulated. What needs traffic to be seen (a route that jumps, say) it does not find.
"""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from simulations.sumo.protocol.endings import Outcome
from simulations.sumo.protocol.problems import Problem
from simulations.sumo.results.sumo_run import SumoRun
from simulations.sumo.run.collecting import run_problems
from simulations.sumo.run.execution import Supervisor

MAX_S = 60.0
MAX_SHARE = 0.1  # of the time that the job has
CONFIG_NAME = ".run.sumocfg"
# Wrong in an empty network only: the vehicle that somebody waits for has been dropped.
NEEDS_TRAFFIC = "Unknown vehicle "


def dry_run(
    *,
    binary: str,
    scenario: Path,
    scratch: Path,
    config_path: str,
    content: bytes,
    environment: Mapping[str, str],
    log: IO[str],
    should_stop: Callable[[], Outcome | None],
) -> SumoRun:
    """Run the configuration `content` in a copy of the scenario, so that nothing it writes is left.

    If `should_stop` ends it, or there is no room for the copy, it proves nothing.
    """
    supervisor = Supervisor(log=log, should_stop=should_stop, grace_s=0)  # nothing that it writes is kept
    try:
        copy = scratch / "scenario"
        shutil.copytree(scenario, copy)
        folder = (copy / config_path).parent
        (folder / CONFIG_NAME).write_bytes(content)
        return supervisor.execute([binary, "-c", CONFIG_NAME], cwd=folder, environment=environment)
    except OSError:
        return supervisor.run
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def problems_of(run: SumoRun) -> list[Problem]:
    """SUMO's complaints about the inputs that the run would end with too; none if it passed or proved nothing."""
    if run.outcome is not Outcome.INVALID_SCENARIO or any(text.startswith(NEEDS_TRAFFIC) for text in run.errors):
        return []
    return run_problems(run)
