"""The table of endings: how a run can end and what a job can wait for, with all that follows from it.

Adding a reason touches this table, `docs/reasons.md` (which is checked against it) and, if its sentence needs the job's
own figures, `clusterops/policy/sentences.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from .problems import Problem


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


class Reason(StrEnum):
    """Beside a job's status, more finely: for people; the status alone drives logic."""

    QUEUED = "QUEUED"
    STARTING = "STARTING"
    WAITING_FOR_NODE = "WAITING_FOR_NODE"
    WAITING_QUOTA = "WAITING_QUOTA"
    WAITING_KUEUE = "WAITING_KUEUE"
    BUDGET_REACHED = "BUDGET_REACHED"
    RUNNING = "RUNNING"
    FINISHING = "FINISHING"
    CANCELLING = "CANCELLING"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    INVALID_JOB = "INVALID_JOB"
    INVALID_SCENARIO = "INVALID_SCENARIO"
    SUMO_FAILED = "SUMO_FAILED"
    TOO_MANY_TELEPORTS = "TOO_MANY_TELEPORTS"
    OUTPUT_LIMIT = "OUTPUT_LIMIT"
    TIME_LIMIT = "TIME_LIMIT"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    EVICTED_DISK = "EVICTED_DISK"
    SUMO_CRASHED = "SUMO_CRASHED"
    SERVICE_UNREACHABLE = "SERVICE_UNREACHABLE"
    RESULTS_NOT_STORED = "RESULTS_NOT_STORED"
    RUNNER_ERROR = "RUNNER_ERROR"
    INTERRUPTED = "INTERRUPTED"
    PREEMPTED = "PREEMPTED"
    NODE_LOST = "NODE_LOST"
    KILLED = "KILLED"
    IMAGE_ERROR = "IMAGE_ERROR"
    CONFIG_ERROR = "CONFIG_ERROR"
    ADMISSION_REFUSED = "ADMISSION_REFUSED"
    START_TIMEOUT = "START_TIMEOUT"
    DELETED_EXTERNALLY = "DELETED_EXTERNALLY"
    NAMESPACE_TERMINATING = "NAMESPACE_TERMINATING"
    LOST = "LOST"


class Fault(StrEnum):
    """Who can mend it."""

    TENANT = "tenant"
    OPERATOR = "operator"
    NOBODY = "nobody"


@dataclass(frozen=True)
class Ending:
    """A row of the table: a reason and what follows from it."""

    reason: Reason
    status: str  # of a job that ends with it; empty: no job does
    fault: Fault
    sentence: str  # what happened and what to do next; empty: it needs the job's figures, see `policy/sentences.py`
    waits: bool = False  # a pod is not there yet or cannot start
    retried: bool = False  # a new attempt, up to MAX_ATTEMPTS; a disruption that Kubernetes repairs itself is none
    doubtful: bool = False  # also seen when another hand deletes pod, Job or namespace: look further
    billable: bool = False  # the time that it ran counts as used: the tenant had what it asked for, or was at fault
    outcome: Outcome | None = None
    exit_codes: tuple[int, ...] = ()  # of the container; the runner's own is the first
    runner_says: bool = False  # the first error of the runner's report, if there is one, takes the sentence's place
    cluster_says: bool = False  # the cluster's own words follow the sentence


SUCCEEDED, FAILED, CANCELLED = "SUCCEEDED", "FAILED", "CANCELLED"
_ROWS = (
    # while it waits and runs
    Ending(Reason.QUEUED, "", Fault.NOBODY, "Waiting for a free slot.", waits=True),
    Ending(
        Reason.STARTING, "", Fault.NOBODY, "A machine is preparing the simulation.", waits=True, cluster_says=True
    ),
    Ending(Reason.WAITING_FOR_NODE, "", Fault.NOBODY, "", waits=True, cluster_says=True),
    Ending(
        Reason.WAITING_QUOTA, "", Fault.NOBODY,
        "The cluster's quota for your namespace is used up for the moment; it starts when room is free. If it stays "
        "so, tell the operator.", waits=True, cluster_says=True,
    ),
    Ending(Reason.WAITING_KUEUE, "", Fault.NOBODY, "", waits=True),
    Ending(
        Reason.BUDGET_REACHED, "", Fault.TENANT,
        "The budget of the month is used up; it starts when the budget is raised or the next month begins.",
        waits=True,
    ),
    Ending(Reason.RUNNING, "", Fault.NOBODY, "The simulation is running."),
    Ending(Reason.FINISHING, "", Fault.NOBODY, "The simulation has ended; its outcome is being collected."),
    Ending(Reason.CANCELLING, "", Fault.NOBODY, ""),
    # ended well, or by wish
    Ending(Reason.COMPLETED, SUCCEEDED, Fault.NOBODY, "", billable=True, outcome=Outcome.SUCCEEDED, exit_codes=(0,)),
    Ending(Reason.CANCELLED, CANCELLED, Fault.NOBODY, "Cancelled on request.", billable=True),
    # by the job itself
    Ending(
        Reason.INVALID_JOB, FAILED, Fault.OPERATOR, "The runner refused the job's description; tell the operator.",
        outcome=Outcome.INVALID_JOB, exit_codes=(64,), runner_says=True,
    ),
    Ending(
        Reason.INVALID_SCENARIO, FAILED, Fault.TENANT, "The scenario is not valid; upload a corrected version.",
        billable=True, outcome=Outcome.INVALID_SCENARIO, exit_codes=(65,), runner_says=True,
    ),
    Ending(
        Reason.SUMO_FAILED, FAILED, Fault.TENANT,
        "SUMO stopped with an error; sumo.log among the results has its words.",
        billable=True, outcome=Outcome.SUMO_FAILED, exit_codes=(66,), runner_says=True,
    ),
    Ending(
        Reason.TOO_MANY_TELEPORTS, FAILED, Fault.TENANT,
        "More vehicles were teleported than the job allows; check the network for deadlocks.",
        billable=True, outcome=Outcome.TOO_MANY_TELEPORTS, exit_codes=(68,), runner_says=True,
    ),
    Ending(
        Reason.OUTPUT_LIMIT, FAILED, Fault.TENANT,
        "It wrote more than the output limit allows. Ask for fewer or coarser outputs.",
        billable=True, outcome=Outcome.OUTPUT_LIMIT, exit_codes=(69,), runner_says=True,
    ),
    Ending(
        Reason.TIME_LIMIT, FAILED, Fault.TENANT, "", billable=True, outcome=Outcome.TIME_LIMIT, exit_codes=(67,)
    ),
    Ending(
        Reason.OUT_OF_MEMORY, FAILED, Fault.TENANT, "", billable=True, outcome=Outcome.OUT_OF_MEMORY, exit_codes=(71,)
    ),
    Ending(
        Reason.EVICTED_DISK, FAILED, Fault.TENANT,
        "It filled the disk that a job may use. Ask for fewer or coarser outputs.", billable=True, cluster_says=True,
    ),
    Ending(
        Reason.SUMO_CRASHED, FAILED, Fault.TENANT,
        "SUMO crashed. Try again without rarely used options; sumo.log has its last words.",
        billable=True, outcome=Outcome.SUMO_CRASHED, exit_codes=(70,), runner_says=True,
    ),
    # by the platform
    Ending(
        Reason.SERVICE_UNREACHABLE, FAILED, Fault.OPERATOR, "Its pod could not reach the control plane.",
        retried=True, outcome=Outcome.UNREACHABLE, exit_codes=(73,), runner_says=True,
    ),
    Ending(
        Reason.RESULTS_NOT_STORED, FAILED, Fault.OPERATOR,
        "The simulation ended, but its results could not be stored. Submit it again.",
        outcome=Outcome.IO_FAILED, exit_codes=(74,), runner_says=True,
    ),
    Ending(
        Reason.RUNNER_ERROR, FAILED, Fault.OPERATOR, "The program around SUMO failed, which is our fault.",
        retried=True, outcome=Outcome.INTERNAL, exit_codes=(72,), runner_says=True, cluster_says=True,
    ),
    Ending(  # 143: SIGTERM without a word from the runner
        Reason.INTERRUPTED, FAILED, Fault.NOBODY,
        "The machine stopped the simulation before its end, which is not your fault.",
        retried=True, doubtful=True, outcome=Outcome.INTERRUPTED, exit_codes=(75, 143),
    ),
    Ending(
        Reason.PREEMPTED, FAILED, Fault.NOBODY,
        "Its machine was taken away for other work or maintenance, which is not your fault.", retried=True,
    ),
    Ending(
        Reason.NODE_LOST, FAILED, Fault.NOBODY, "Its machine does not answer any more, which is not your fault.",
        retried=True,
    ),
    Ending(  # SIGKILL by an unknown hand
        Reason.KILLED, FAILED, Fault.TENANT,
        "It was killed from outside without a word why. Submit it again; if it happens again, try more memory.",
        doubtful=True, exit_codes=(137,), cluster_says=True,
    ),
    Ending(
        Reason.IMAGE_ERROR, FAILED, Fault.OPERATOR,
        "The simulation's image cannot be loaded; the operator must act.", waits=True, cluster_says=True,
    ),
    Ending(
        Reason.CONFIG_ERROR, FAILED, Fault.OPERATOR,
        "The simulation's container cannot be made; the operator must act.", waits=True, cluster_says=True,
    ),
    Ending(
        Reason.ADMISSION_REFUSED, FAILED, Fault.OPERATOR,
        "The cluster's rules refuse the simulation's pod; the operator must act.", waits=True, cluster_says=True,
    ),
    Ending(Reason.START_TIMEOUT, FAILED, Fault.OPERATOR, "", cluster_says=True),
    Ending(
        Reason.DELETED_EXTERNALLY, FAILED, Fault.OPERATOR,
        "Somebody deleted it in the cluster, not through this service. Submit it again.", doubtful=True,
    ),
    Ending(
        Reason.NAMESPACE_TERMINATING, FAILED, Fault.OPERATOR,
        "The tenant's namespace was deleted in the cluster, or is being deleted; jobs wait or are lost with it. The "
        "operator must act.",
    ),
    Ending(
        Reason.LOST, FAILED, Fault.OPERATOR,
        "It vanished from the cluster and left no evidence of how it ended. Results uploaded before that are kept. "
        "Submit it again.", doubtful=True,
    ),
)  # fmt: skip

ENDINGS = {row.reason: row for row in _ROWS}
EXIT_CODES = {row.outcome: row.exit_codes[0] for row in _ROWS if row.outcome}
OUTCOME_REASONS = {row.outcome.value: row.reason for row in _ROWS if row.outcome}
EXIT_REASONS = {code: row.reason for row in _ROWS for code in row.exit_codes if code}
WAITING = frozenset(row.reason for row in _ROWS if row.waits)
RETRIED = frozenset(row.reason for row in _ROWS if row.retried)
DOUBTFUL = frozenset(row.reason for row in _ROWS if row.doubtful)
# Waiting for these helps only if an operator acts: after a grace the job fails and gives its place free.
NEEDS_OPERATOR = frozenset(row.reason for row in _ROWS if row.waits and row.fault is Fault.OPERATOR)

UNREACHABLE_PHASE = "unreachable"  # in the log while the control plane cannot be reached, which reads it there


class RunEnd(Exception):
    """Ends the runner's work early: the outcome and everything that is known to be wrong."""

    def __init__(self, outcome: Outcome, problems: Sequence[Problem] = ()) -> None:
        super().__init__(outcome.value)
        self.outcome = outcome
        self.problems = list(problems)
