"""What is billed and what is not: one line per ending. Pure; `docs/usage.md` is checked against it."""

from simulations.models import Job

Reason = Job.Reason

# The tenant's own work, or what the tenant asked for.
BILLED: dict[str, str] = {
    Reason.COMPLETED: "It finished.",
    Reason.CANCELLED: "It ran until you cancelled it.",
    Reason.SUMO_FAILED: "SUMO refused the scenario or stopped with an error of it.",
    Reason.INVALID_SCENARIO: "The scenario cannot be run.",
    Reason.TOO_MANY_TELEPORTS: "It reached the limit of teleports that you set.",
    Reason.TIME_LIMIT: "It ran as long as it might.",
    Reason.OUTPUT_LIMIT: "It wrote more than it might.",
    Reason.OUT_OF_MEMORY: "It needed more memory than it asked for.",
}
# The cluster's or the service's doing, or nobody knows.
NOT_BILLED: dict[str, str] = {
    Reason.INVALID_JOB: "The service gave the run a request that it should have refused.",
    Reason.SUMO_CRASHED: "SUMO crashed.",
    Reason.RESULTS_NOT_STORED: "Its results could not be kept.",
    Reason.SERVICE_UNREACHABLE: "It could not reach the service.",
    Reason.RUNNER_ERROR: "An error of the service's own.",
    Reason.INTERRUPTED: "The cluster stopped it.",
    Reason.EVICTED_DISK: "The machine took its disk away.",
    Reason.PREEMPTED: "The cluster took its pod away.",
    Reason.NODE_LOST: "Its machine was lost.",
    Reason.IMAGE_ERROR: "The operator's image could not be had.",
    Reason.CONFIG_ERROR: "The operator's set-up kept it from running.",
    Reason.ADMISSION_REFUSED: "The cluster refused it.",
    Reason.START_TIMEOUT: "It did not start in time.",
    Reason.DELETED_EXTERNALLY: "Another hand deleted it.",
    Reason.NAMESPACE_TERMINATING: "Its namespace was deleted.",
    Reason.KILLED: "It was killed, and nothing says why.",
    Reason.LOST: "Nobody knows how it ended.",
}
UNKNOWN_END = "Nobody saw when it ended; the time shown is the last at which it was seen."


def is_billable(ending: str, *, end_is_estimate: bool) -> bool:
    """Whether a run that ended for this reason is billed. What nobody saw the end of is not, whatever the reason."""
    return ending in BILLED and not end_is_estimate


def why(ending: str, *, end_is_estimate: bool) -> str:
    """The sentence behind `is_billable`."""
    if ending in BILLED and end_is_estimate:
        return UNKNOWN_END
    return BILLED.get(ending) or NOT_BILLED.get(ending, "")
