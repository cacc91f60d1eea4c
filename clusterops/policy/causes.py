"""What can need somebody: a row for each cause, with who can mend it and how. Reasons of jobs bring their own words
from the table of endings."""

from dataclasses import dataclass
from enum import StrEnum

from simulations.sumo.protocol.endings import ENDINGS, Fault, Reason


class Severity(StrEnum):
    """Also the colour: red is for what is broken or lets somebody wait, not for a limit that is well used."""

    BAD = "bad"
    WARN = "warn"


class Action(StrEnum):
    """What the page offers beside a cause."""

    JOBS = "jobs"  # the list of jobs, of this reason if it has one
    WAITING = "waiting"  # the list of jobs that wait, of this reason if it has one
    FAILED = "failed"  # the list of jobs that failed
    LIMITS = "limits"  # the tenant's page: what its limits did, and which would help
    NODES = "nodes"


@dataclass(frozen=True)
class Cause:
    """A row of the table."""

    code: str
    who: Fault
    severity: Severity
    title: str
    todo: str
    actions: tuple[Action, ...] = ()
    reason: Reason | None = None  # of the jobs that it is about
    unit: str = "job"  # what is counted; empty: nothing


# Where the table of endings speaks to the tenant alone.
_FOR_OPERATORS = {
    Reason.IMAGE_ERROR: "Check RUNNER_IMAGE, the registry and the pull secret; waiting jobs start when it can be had.",
    Reason.CONFIG_ERROR: "The cluster's words say what of the pod it cannot make: most often a Secret or the image.",
    Reason.ADMISSION_REFUSED: "An admission webhook or policy of the cluster refuses the pod: except tenants' "
    "namespaces from it.",
    Reason.START_TIMEOUT: "Look at what they waited for: a machine, the image, a quota.",
}


def _of_reason(reason: Reason) -> Cause:
    ending = ENDINGS[reason]
    title = reason.value.replace("_", " ").capitalize()
    todo = _FOR_OPERATORS.get(reason, ending.sentence)
    return Cause(reason.lower(), ending.fault, Severity.BAD, title, todo, (Action.JOBS,), reason)


BAD, WARN = Severity.BAD, Severity.WARN
OPERATOR, TENANT, NOBODY = Fault.OPERATOR, Fault.TENANT, Fault.NOBODY
_ROWS = (
    Cause(
        "reconciler_silent", OPERATOR, BAD, "The reconciler is silent",
        "Jobs are accepted but neither start nor end. Look at its pod and log; by hand: manage.py reconcile_jobs.",
        unit="",
    ),
    Cause(
        "cluster_unreachable", OPERATOR, BAD, "The cluster does not answer",
        "Submissions are kept, nothing starts. Look at the API server, its address and this service's credentials: "
        "manage.py check_cluster.", unit="",
    ),
    Cause(
        "cluster_down", OPERATOR, BAD, "A cluster is marked as down",
        "Nothing is started there. Set it active when it is back, or move its tenants: manage.py move_tenant; what may "
        "still run there is never started elsewhere by itself.", unit="",
    ),
    Cause(
        "pass_failed", OPERATOR, BAD, "The last pass ended early",
        "Its log has more; manage.py doctor looks at the whole.", unit="",
    ),
    Cause(
        "rows_failing", OPERATOR, BAD, "Things that fail at every try",
        "The rest goes on, these are tried less and less often. The error says why; cancelling a job ends its part.",
        unit="thing",
    ),
    Cause(
        "namespace_problem", OPERATOR, BAD, "A tenant's namespace cannot be used",
        "Its jobs wait until it is as the message asks.", (Action.LIMITS,), unit="tenant",
    ),
    Cause(
        "unschedulable", OPERATOR, BAD, "Pods that no machine takes",
        "They hold their tenants' limits while they wait. Add a machine that fits, or cancel them.",
        (Action.WAITING,), Reason.WAITING_FOR_NODE,
    ),
    Cause(
        "pool_at_limit", OPERATOR, BAD, "The node pool is at its limit",
        "Raise the pool's limits, or set CAPACITY so that jobs wait in order rather than as pods.",
        (Action.WAITING, Action.NODES), Reason.WAITING_FOR_NODE,
    ),
    Cause(
        "waiting_quota", OPERATOR, BAD, "The cluster's quota refuses jobs that our limits allow",
        "Another quota in the namespace, or pods of another hand, take the room: kubectl describe quota.",
        (Action.WAITING,), Reason.WAITING_QUOTA,
    ),
    Cause(
        "starting_slowly", OPERATOR, WARN, "Pods that take long to start",
        "Most often the image is being pulled: keep it near, or warm on the machines.",
        (Action.WAITING,), Reason.STARTING,
    ),
    Cause(
        "waits_for_room", OPERATOR, BAD, "Jobs wait although their tenants' limits leave room",
        "The cluster or CAPACITY is used up; add machines, or lower what others may have.", (Action.WAITING,),
    ),
    Cause(
        "quota_drift", OPERATOR, WARN, "The cluster has other limits than the tenant",
        "The next pass applies them; if that lasts, its log says what refuses.", (Action.LIMITS,), unit="tenant",
    ),
    Cause(
        "disagreement", OPERATOR, WARN, "Database and cluster disagree",
        "Strays are deleted by themselves; for pods that nothing owns run manage.py delete_orphan_pods.", unit="object",
    ),
    Cause(
        "reconciler_slow", OPERATOR, WARN, "Passes take long",
        "Endings are noticed late. Look at the API server's and the database's answers.", unit="",
    ),
    Cause(
        "nodes_not_ready", OPERATOR, WARN, "Machines that are not ready", "kubectl describe node says why.",
        (Action.NODES,), unit="node",
    ),
    Cause(
        "volume_nearly_full", OPERATOR, WARN, "The volume that holds the files is nearly full",
        "When it is full, uploads are refused and results are lost: enlarge it, or make room with manage.py prune.",
        unit="",
    ),
    Cause(
        "waits_at_limits", OPERATOR, WARN, "Tenants wait long at their own limits",
        "If the cluster has room, raise the limit.", (Action.LIMITS, Action.WAITING),
    ),
    Cause(
        "admin_key_expiring", OPERATOR, WARN, "An admin key in use expires soon", "Rotate it in the admin.", unit="key"
    ),
    Cause(
        "certificate_expiring", OPERATOR, WARN, "The certificate for the cluster ends soon",
        "Renew it, or the cluster's authority, in the kubeconfig that KUBE_CONFIG_PATH names; then restart.", unit="",
    ),
    Cause(
        "never_fits", TENANT, BAD, "Queued jobs that can never start",
        "They ask for more than the tenant's limits or any machine have: cancel them, or raise the limit.",
        (Action.WAITING, Action.LIMITS),
    ),
    Cause(
        "jobs_failing", TENANT, WARN, "Most of a tenant's jobs fail",
        "The jobs' own messages say what is wrong with scenario or request; tell the tenant.", (Action.FAILED,),
    ),
    Cause(
        "storage_nearly_full", TENANT, WARN, "Storage is nearly full",
        "At the limit uploads and results are refused: delete scenario versions, or run manage.py prune.",
        unit="tenant",
    ),
    Cause(
        "webhooks_failing", TENANT, WARN, "Webhooks are not delivered",
        "The receiver does not take them; the tenant sees each try at GET /webhooks/{id}/deliveries.", unit="endpoint",
    ),
    Cause("key_expiring", TENANT, WARN, "A key in use expires soon", "Rotate it, with an overlap.", unit="key"),
    Cause(
        "machines_lost", NOBODY, WARN, "Jobs lost their machines",
        "They begin again by themselves, up to MAX_ATTEMPTS. If it goes on, look at the machines.", (Action.FAILED,),
    ),
)  # fmt: skip
_ON_MACHINES = frozenset({Reason.INTERRUPTED, Reason.PREEMPTED, Reason.NODE_LOST})

CAUSES = {row.code: row for row in _ROWS}
CAUSES |= {row.code: row for row in map(_of_reason, ENDINGS) if row.who is OPERATOR}
ORDER = {code: place for place, code in enumerate(CAUSES)}


def cause_of_failure(reason: str) -> str:
    """The code of the cause that a failed job's reason speaks for; empty: the tenant's own affair."""
    if reason.lower() in CAUSES:
        return reason.lower()
    return "machines_lost" if reason in _ON_MACHINES else ""
