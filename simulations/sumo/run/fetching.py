"""Getting the scenario from the control plane, and what a failure of it means for the job."""

import time
from pathlib import Path

from simulations.sumo.protocol.endings import Outcome, RunEnd
from simulations.sumo.protocol.problems import Problem
from simulations.sumo.run.transport import ControlPlane, RefusedByService, Unreachable

MAX_S = 300.0
MAX_ARCHIVE_BYTES = 4 * 1024**3


def fetch_scenario(control_plane: ControlPlane, target: Path, *, sha256: str, deadline: float) -> None:
    """Store the archive at `target`, until `deadline` (`time.monotonic()`) at the latest. Raises RunEnd."""
    latest = min(time.monotonic() + MAX_S, deadline)
    try:
        found = control_plane.fetch_scenario(target, max_bytes=MAX_ARCHIVE_BYTES, deadline=lambda: latest)
    except RefusedByService as error:
        outcome = Outcome.INVALID_JOB if error.status == 404 else Outcome.INTERRUPTED
        outcome = outcome if error.job_is_over else Outcome.IO_FAILED
        raise RunEnd(outcome, [Problem("fetch.refused", f"The scenario was not handed out: {error}")]) from None
    except Unreachable as error:
        problem = Problem("fetch.unreachable", f"The control plane could not be reached: {error}")
        raise RunEnd(Outcome.UNREACHABLE, [problem]) from None
    except OSError as error:
        raise RunEnd(Outcome.IO_FAILED, [Problem("fetch.failed", f"The scenario did not arrive: {error}")]) from None
    if found != sha256:
        sentence = f"The scenario has the SHA-256 {found}, not {sha256}."
        raise RunEnd(Outcome.IO_FAILED, [Problem("fetch.wrong_hash", sentence)])
