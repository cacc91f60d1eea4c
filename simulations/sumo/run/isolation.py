"""What the pod gives the runner, and what of it stays hidden from SUMO's process."""

import ctypes
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from simulations.sumo.protocol.endings import Outcome, RunEnd
from simulations.sumo.protocol.problems import Problem
from simulations.sumo.run.execution import scrubbed_environment

_PR_SET_DUMPABLE = 4


@dataclass(frozen=True)
class PodEnvironment:
    """The runner's settings, from environment variables."""

    job: str
    job_id: str
    url: str
    token: str
    binary: str
    work_dir: Path
    termination_message: Path
    for_sumo: dict[str, str]

    @classmethod
    def take(cls, environ: MutableMapping[str, str]) -> "PodEnvironment":
        """Read the settings; the token leaves the environment. Raises RunEnd(INVALID_JOB) naming what is missing."""
        needed = ("SUMOK8_JOB", "JOB_ID", "SUMOK8_URL", "SUMOK8_TOKEN", "SUMO_BINARY", "WORK_DIR")
        values = {name: environ.get(name, "") for name in needed}
        environ.pop("SUMOK8_TOKEN", None)
        missing = [
            Problem("job.environment", f"The variable {name} is not set.") for name in needed if not values[name]
        ]
        if missing:
            raise RunEnd(Outcome.INVALID_JOB, missing)
        return cls(
            job=values["SUMOK8_JOB"],
            job_id=values["JOB_ID"],
            url=values["SUMOK8_URL"],
            token=values["SUMOK8_TOKEN"],
            binary=values["SUMO_BINARY"],
            work_dir=Path(values["WORK_DIR"]),
            termination_message=termination_message_path(environ),
            for_sumo=scrubbed_environment(environ),
        )


def termination_message_path(environ: MutableMapping[str, str]) -> Path:
    return Path(environ.get("TERMINATION_MESSAGE_PATH", "/dev/termination-log"))


def hide_from_other_processes() -> None:  # pragma: no cover - of a whole process, so it is tested in one of its own
    """Make /proc/<pid>/environ, which still shows the token, unreadable for processes of the same user (Linux)."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
