"""Facts for the rules: each from an index, a counter or a window of an hour, never from the whole table of jobs."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, Count, F, IntegerField, Max, Min, Q, Sum, Value, When
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce

from clusterops.models import ReconcilerState, TenantNamespace
from clusterops.policy.facts import Facts, Failures, Group, LineFact, Machinery, NodeFact, Store, Waiting
from clusterops.policy.sentences import NOTHING_FITS, POOL_FULL
from simulations import machines
from simulations.models import Job, JobCount
from simulations.services.storage import nearly_full
from simulations.sumo.protocol.endings import WAITING, Reason
from simulations.webhooks.models import Endpoint
from tenants.clusters import FIRST, Cluster
from tenants.models import ApiKey

WINDOW = timedelta(hours=1)  # of ended jobs
OLDEST = 2000  # waiting jobs that are looked at: what can never start is among the oldest sooner or later
JOINING_FOR = timedelta(minutes=10)  # a young machine that is not ready yet
SNAPSHOT_AGE = timedelta(minutes=5)
WEBHOOK_FAILS_FOR = timedelta(hours=1)
EXPIRES_WITHIN = timedelta(days=7)
# Counts of the last pass that mean: database and cluster did not agree.
DRIFT = {
    "repaired": "tenants' namespaces changed by another hand, set right",
    "strays": "Kubernetes Jobs that no row wants, to be deleted",
    "unreadable": "Kubernetes objects in a shape that cannot be read, left as they are",
    "orphan_pods": "pods that nothing owns: manage.py delete_orphan_pods removes them",
}
LIMITS = ("max_cpu", "max_memory_gi", "max_concurrent_jobs")  # those that the cluster's quota has


def facts(now: datetime) -> Facts:
    """All facts as of `now`."""
    clusters = list(Cluster.objects.select_related("reconciler_state"))
    states = {row.pk: getattr(row, "reconciler_state", None) or ReconcilerState(pk=row.pk) for row in clusters}
    failures, ended = _ended(now)
    return Facts(
        now=now,
        machinery=[_machinery(row, states[row.pk], now, is_one=len(clusters) == 1) for row in clusters],
        spaces=list(_spaces()),
        waiting=_waiting(),
        failures=failures,
        ended=ended,
        lines=_lines({pk: state.sizes for pk, state in states.items()}),
        stores=_stores(),
        webhooks=_webhooks(now),
        keys=_keys(now),
    )


def drift(state: ReconcilerState) -> dict[str, int]:
    """What the last pass counted that database and cluster did not agree on, in words."""
    return {words: state.counts[name] for name, words in DRIFT.items() if state.counts.get(name)}


def _machinery(cluster: Cluster, state: ReconcilerState, now: datetime, *, is_one: bool) -> Machinery:
    return Machinery(
        cluster="" if is_one else cluster.name,
        is_down=cluster.state == Cluster.State.DOWN,
        looked_at=state.pass_finished_at,
        saw_cluster_at=state.last_success_at,
        sees_cluster=state.cluster_reachable is not False,
        pass_s=state.pass_duration_s or 0.0,
        error=state.error,
        failing=state.counts.get("failing", 0),
        troubles=[
            Group(since=datetime.fromisoformat(each["since"]), detail=f"{each['what']}: {each['error']}")
            for each in state.troubles
        ],
        drift=drift(state),
        certificate_ends_at=state.certificate_ends_at,
        nodes=_nodes(state, now),
        free_share=state.volume_free / state.volume_size
        if state.volume_free is not None and state.volume_size
        else None,
    )


def _nodes(state: ReconcilerState, now: datetime) -> list[NodeFact]:
    """As the reconciler saw them within minutes; what was seen before is not claimed."""
    if not state.snapshot or state.snapshot_at is None or now - state.snapshot_at > SNAPSHOT_AGE:
        return []
    return [
        NodeFact(node["name"], node["ready"])
        for node in state.snapshot["nodes"]
        if node["ready"] or not node["created_at"] or now - datetime.fromisoformat(node["created_at"]) > JOINING_FOR
    ]


def _spaces() -> Iterator[Group]:
    """Namespaces with a problem, and those whose limits in force are not the tenant's."""
    in_force = {f"now_{name}": Cast(KT(f"applied__{name}"), IntegerField()) for name in LIMITS}
    same = Q(**{f"now_{name}": F(f"tenant__{name}") for name in LIMITS})
    rows = TenantNamespace.objects.filter(tenant__is_active=True).annotate(**in_force)
    for row in rows.filter(~Q(problem="") | (Q(now_max_cpu__isnull=False) & ~same)).select_related("tenant"):
        if row.problem:
            yield Group(row.tenant_id, 1, row.problem_since, row.problem, severe=True)
        else:
            other = [f"{name} {row.applied.get(name)}, not {getattr(row.tenant, name)}" for name in LIMITS]
            told = [text for text in other if text.split()[1].rstrip(",") != text.split()[-1]]
            yield Group(row.tenant_id, 1, row.applied_at, f"In the cluster {'; '.join(told)}.")


def _waiting() -> list[Waiting]:
    """What the cluster has and does not run, by tenant and reason: as much as is in hand, never the queue."""
    kind = Case(
        When(message__startswith=POOL_FULL, then=Value("pool")),
        When(message__startswith=NOTHING_FITS, then=Value("nothing")),
        default=Value(""),
    )
    told = [*(WAITING - {Reason.QUEUED}), Reason.NAMESPACE_TERMINATING]
    rows = (
        Job.objects.in_hand()
        .filter(reason__in=told, cancel_requested_at=None)
        .order_by()
        .annotate(kind=kind, at=Coalesce("dispatched_at", "dispatching_at", "submitted_at"))
        .values_list("tenant_id", "reason", "kind")
        .annotate(Count("pk"), Min("at"), Max("message"))
    )
    return [
        Waiting(reason, Group(tenant_id, count, since, words), kind == "pool", kind == "nothing")
        for tenant_id, reason, kind, count, since, words in rows
    ]


def _ended(now: datetime) -> tuple[list[Failures], dict[str, int]]:
    """What failed in the last hour, and how many ended in it."""
    rows = list(
        Job.objects.filter(finished_at__gt=now - WINDOW)
        .exclude(status=Job.Status.CANCELLED)
        .order_by()
        .values_list("tenant_id", "status", "reason")
        .annotate(Count("pk"), Min("finished_at"), Max("finished_at"), Max("message"))
    )
    ended: dict[str, int] = defaultdict(int)
    succeeded_at: dict[str, datetime] = {}
    for tenant_id, status, _, count, _, last, _ in rows:
        ended[tenant_id] += count
        if status == Job.Status.SUCCEEDED:
            succeeded_at[tenant_id] = last
    never = datetime.min.replace(tzinfo=now.tzinfo)
    failures = [
        Failures(reason, Group(tenant_id, count, first, words), mended=succeeded_at.get(tenant_id, never) > last)
        for tenant_id, status, reason, count, first, last, words in rows
        if status == Job.Status.FAILED
    ]
    return failures, ended


def _lines(sizes: Mapping[int, machines.Sizes]) -> list[LineFact]:
    counted = list(
        JobCount.objects.filter(queued__gt=0, tenant__is_active=True).select_related("tenant").order_by("tenant_id")
    )
    if not counted:
        return []
    used = {
        tenant_id: (slots, cpu, memory_gi)
        for tenant_id, slots, cpu, memory_gi in Job.objects.active()
        .filter(Q(status=Job.Status.RUNNING) | Q(dispatched_at__isnull=False))
        .order_by()
        .values_list("tenant_id")
        .annotate(Count("pk"), Sum("cpu_request"), Sum("memory_gi"))
    }
    heads: dict[str, list[Any]] = defaultdict(list)
    # Another reason than QUEUED speaks for itself.
    waiting = Job.objects.queued().filter(cancel_requested_at=None, reason=Reason.QUEUED).order_by("submitted_at")
    for row in waiting.values_list("tenant_id", "submitted_at", "cpu_request", "memory_gi")[:OLDEST]:
        heads[row[0]].append(row[1:])
    return [
        _line(
            row, heads[row.tenant_id], used.get(row.tenant_id, (0, 0, 0)), sizes.get(row.tenant.cluster_id or FIRST, [])
        )
        for row in counted
    ]


def _line(row: JobCount, heads: Sequence[Any], used: tuple[int, int, int], sizes: machines.Sizes) -> LineFact:
    limits, (slots, cpu, memory_gi) = row.tenant, used
    unfit = [
        head
        for head in heads
        if head[1] > limits.max_cpu or head[2] > limits.max_memory_gi or machines.too_large(sizes, head[1], head[2])
    ]
    fit = [head for head in heads if head not in unfit]
    at_limit = ""
    if slots >= limits.max_concurrent_jobs:
        at_limit = f"{slots} of {limits.max_concurrent_jobs} slots in use."
    elif fit and cpu + fit[0][1] > limits.max_cpu:
        at_limit = f"{cpu} of {limits.max_cpu} CPUs in use; the next needs {fit[0][1]}."
    elif fit and memory_gi + fit[0][2] > limits.max_memory_gi:
        at_limit = f"{memory_gi} of {limits.max_memory_gi} Gi in use; the next needs {fit[0][2]}."
    oldest = (unfit or fit)[0][0] if heads else None
    return LineFact(row.tenant_id, row.queued, oldest, at_limit, len(unfit))


def _stores() -> list[Store]:
    return [Store(tenant_id, use.kind, use.used_bytes, use.limit_bytes) for tenant_id, use in nearly_full()]


def _webhooks(now: datetime) -> list[Group]:
    failing = Q(failing_since__lt=now - WEBHOOK_FAILS_FOR, is_active=True) | ~Q(disabled_because="")
    rows = Endpoint.objects.filter(failing, tenant__is_active=True).order_by().values_list("tenant_id")
    told = rows.annotate(Count("pk"), Min("failing_since"), Max("disabled_because"))
    return [Group(tenant_id, count, since, because) for tenant_id, count, since, because in told]


def _keys(now: datetime) -> list[Group]:
    """Those that somebody uses: others may expire unnoticed."""
    soon = ApiKey.objects.usable().lasting().filter(expires_at__lt=now + EXPIRES_WITHIN)
    used = soon.filter(last_used_at__gt=now - EXPIRES_WITHIN)
    rows = used.order_by().values_list("tenant_id").annotate(Count("pk"), Min("expires_at"))
    return [
        Group(tenant_id or "", count, None, f"The first on {expires:%Y-%m-%d %H:%M} UTC.")
        for tenant_id, count, expires in rows
    ]
