"""How a run can end: names, exit codes and the exception that carries an end through the runner's phases."""

from collections.abc import Sequence
from enum import StrEnum

from simulations.sumo.protocol.problems import Problem


class Outcome(StrEnum):
    """Ends of a run. The values appear in the manifest, in the termination message and on stdout."""

    SUCCEEDED = "succeeded"
    INVALID_JOB = "invalid_job"
    INVALID_SCENARIO = "invalid_scenario"
    SUMO_FAILED = "sumo_failed"
    TIME_LIMIT = "time_limit"
    TOO_MANY_TELEPORTS = "too_many_teleports"
    OUTPUT_LIMIT = "output_limit"
    SUMO_CRASHED = "sumo_crashed"
    OUT_OF_MEMORY = "out_of_memory"
    INTERNAL = "internal"
    UNREACHABLE = "unreachable"
    IO_FAILED = "io_failed"
    INTERRUPTED = "interrupted"

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self]


EXIT_CODES = {
    Outcome.SUCCEEDED: 0,
    Outcome.INVALID_JOB: 64,
    Outcome.INVALID_SCENARIO: 65,
    Outcome.SUMO_FAILED: 66,
    Outcome.TIME_LIMIT: 67,
    Outcome.TOO_MANY_TELEPORTS: 68,
    Outcome.OUTPUT_LIMIT: 69,
    Outcome.SUMO_CRASHED: 70,
    Outcome.OUT_OF_MEMORY: 71,
    Outcome.INTERNAL: 72,
    Outcome.UNREACHABLE: 73,
    Outcome.IO_FAILED: 74,
    Outcome.INTERRUPTED: 75,
}


UNREACHABLE_PHASE = "unreachable"  # in the log while the control plane cannot be reached, which reads it there


class RunEnd(Exception):
    """Ends the runner's work early: the outcome and everything that is known to be wrong."""

    def __init__(self, outcome: Outcome, problems: Sequence[Problem] = ()) -> None:
        super().__init__(outcome.value)
        self.outcome = outcome
        self.problems = list(problems)
