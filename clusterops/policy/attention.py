"""Facts → what needs somebody, by cause. Pure: `clusterops.attention` gathers the facts and shows the findings."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from clusterops.policy.causes import CAUSES, ORDER, Cause, Severity, cause_of_failure
from clusterops.policy.facts import Facts, Group, Machinery
from simulations.sumo.protocol.endings import NEEDS_OPERATOR, Fault, Reason

SILENT_AFTER = timedelta(seconds=120)  # four missed passes
SLOW_PASS_S = 30.0  # as long as two passes are apart
UNSCHEDULABLE_AFTER = timedelta(minutes=15)  # machines are started in 2 to 5
NOTHING_FITS_AFTER = timedelta(minutes=2)  # the cluster has said so itself
STARTING_AFTER = timedelta(minutes=10)
LONG_WAIT = timedelta(hours=1)
NEARLY_FULL = 0.9
FAILING_SHARE = 0.5  # of a tenant's jobs that ended in the last hour
FAILING_LEAST = 4  # fewer say nothing
MACHINES_LOST_LEAST = 3
CERTIFICATE_ENDS_WITHIN = timedelta(days=14)
VOLUME_LEAST_FREE = 0.1
VOLUME_FULL = 0.02  # the next large upload finds no room


@dataclass(frozen=True)
class Finding:
    """One cause, with its share of each tenant; a part without a tenant is the installation's."""

    cause: Cause
    parts: tuple[Group, ...]
    severity: Severity

    @property
    def count(self) -> int:
        return sum(part.count for part in self.parts)

    @property
    def since(self) -> datetime | None:
        return min((part.since for part in self.parts if part.since), default=None)

    @property
    def tenants(self) -> tuple[Group, ...]:
        """The parts that are a tenant's, the largest first."""
        own = [part for part in self.parts if part.tenant_id]
        return tuple(sorted(own, key=lambda part: (-part.count, part.tenant_id)))

    @property
    def details(self) -> tuple[str, ...]:
        """What is said of it, each once."""
        return tuple(dict.fromkeys(part.detail for part in self.parts if part.detail))


@dataclass(frozen=True)
class Silence:
    """An operator knows of it; of one tenant, or of all."""

    cause: str
    tenant_id: str | None


Found = tuple[str, Group]  # a cause's code and its share


def findings(facts: Facts, silences: Iterable[Silence] = ()) -> list[Finding]:
    """What needs somebody: the broken first, then in the order of the table."""
    known = {(each.cause, each.tenant_id) for each in silences}
    parts: dict[str, list[Group]] = defaultdict(list)
    for rule in RULES:
        for code, part in rule(facts):
            if not {(code, None), (code, part.tenant_id)} & known:
                parts[code].append(part)
    found = [_finding(CAUSES[code], _merged(each)) for code, each in parts.items()]
    return sorted(found, key=lambda each: (each.severity is not Severity.BAD, ORDER[each.cause.code]))


def _finding(cause: Cause, parts: tuple[Group, ...]) -> Finding:
    return Finding(cause, parts, Severity.BAD if any(part.severe for part in parts) else cause.severity)


def _merged(parts: Sequence[Group]) -> tuple[Group, ...]:
    """A tenant's shares together: jobs that wait and jobs that failed for the same cause."""
    by_tenant: dict[str, Group] = {}
    loose = []
    for part in parts:
        if not part.tenant_id:
            loose.append(part)
        elif first := by_tenant.get(part.tenant_id):
            since = min(filter(None, (first.since, part.since)), default=None)
            by_tenant[part.tenant_id] = replace(first, count=first.count + part.count, since=since)
        else:
            by_tenant[part.tenant_id] = part
    return (*loose, *by_tenant.values())


def _machinery(facts: Facts) -> Iterator[Found]:
    for state in facts.machinery:
        for code, part in _of_cluster(facts, state):
            where = f"Cluster {state.cluster}" if state.cluster else ""
            yield code, replace(part, detail=": ".join(filter(None, (where, part.detail))))


def _of_cluster(facts: Facts, state: Machinery) -> Iterator[Found]:
    if state.is_down:
        yield "cluster_down", Group(since=state.saw_cluster_at, detail=f"Last seen: {_moment(state.saw_cluster_at)}.")
        return  # what else could be said of it is known
    if state.looked_at is None or facts.now - state.looked_at > SILENT_AFTER:
        yield "reconciler_silent", Group(since=state.looked_at, detail="" if state.looked_at else "It never passed.")
        return  # what it said before is no news
    if not state.sees_cluster:
        yield "cluster_unreachable", Group(since=state.saw_cluster_at, detail=state.error)
    elif state.error:
        yield "pass_failed", Group(since=state.looked_at, detail=state.error)
    if state.pass_s > SLOW_PASS_S:
        yield "reconciler_slow", Group(since=state.looked_at, detail=f"The last one took {state.pass_s:.0f} s.")
    for trouble in state.troubles:
        yield "rows_failing", Group(since=trouble.since, detail=trouble.detail)
    if (more := state.failing - len(state.troubles)) > 0:
        yield "rows_failing", Group(count=more)
    for words, count in state.drift.items():
        yield "disagreement", Group(count=count, since=state.looked_at, detail=f"{count} {words}")
    if (ends := state.certificate_ends_at) and ends - facts.now < CERTIFICATE_ENDS_WITHIN:
        yield "certificate_expiring", Group(detail=f"On {ends:%Y-%m-%d %H:%M} UTC.", severe=ends <= facts.now)
    if state.free_share is not None and state.free_share < VOLUME_LEAST_FREE:
        detail = f"{state.free_share:.1%} of it is free."
        yield "volume_nearly_full", Group(detail=detail, severe=state.free_share < VOLUME_FULL)
    if lame := [node for node in state.nodes if not node.ready]:
        severe = len(lame) == len(state.nodes)
        names = ", ".join(node.name for node in lame[:5]) + (" …" if len(lame) > 5 else "")
        yield "nodes_not_ready", Group(count=len(lame), detail=names, severe=severe)


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "never"


def _spaces(facts: Facts) -> Iterator[Found]:
    for each in facts.spaces:
        yield "namespace_problem" if each.severe else "quota_drift", each


def _waiting(facts: Facts) -> Iterator[Found]:
    patience = {
        Reason.WAITING_FOR_NODE: ("unschedulable", UNSCHEDULABLE_AFTER),
        Reason.WAITING_QUOTA: ("waiting_quota", UNSCHEDULABLE_AFTER),
        Reason.STARTING: ("starting_slowly", STARTING_AFTER),
    }
    for each in facts.waiting:
        code, after = patience.get(Reason(each.reason), ("", timedelta()))
        if each.reason in NEEDS_OPERATOR or each.reason == Reason.NAMESPACE_TERMINATING:
            code = each.reason.lower()
        elif each.pool_full:
            code, after = "pool_at_limit", NOTHING_FITS_AFTER
        elif each.nothing_fits:
            after = NOTHING_FITS_AFTER
        if code and each.group.since and facts.now - each.group.since >= after:
            yield code, each.group


def _failures(facts: Facts) -> Iterator[Found]:
    lost: list[Group] = []
    for each in facts.failures:
        code = cause_of_failure(each.reason)
        if each.mended:
            continue
        if code == "machines_lost":
            lost.append(each.group)
        elif code:
            yield code, each.group
    if sum(group.count for group in lost) >= MACHINES_LOST_LEAST:
        yield from (("machines_lost", group) for group in lost)


def _failing_tenants(facts: Facts) -> Iterator[Found]:
    own: Mapping[str, list[Group]] = defaultdict(list)
    for each in facts.failures:
        if not cause_of_failure(each.reason):
            own[each.group.tenant_id].append(each.group)
    for tenant_id, groups in own.items():
        failed, ended = sum(group.count for group in groups), facts.ended.get(tenant_id, 0)
        if failed >= FAILING_LEAST and failed > FAILING_SHARE * ended:
            since = min(filter(None, (group.since for group in groups)), default=None)
            detail = f"{failed} of {ended} that ended in the last hour."
            yield "jobs_failing", Group(tenant_id, failed, since, detail)


def _lines(facts: Facts) -> Iterator[Found]:
    for line in facts.lines:
        if line.unfit:
            yield "never_fits", Group(line.tenant_id, line.unfit, line.oldest)
        elif line.oldest and facts.now - line.oldest >= LONG_WAIT:
            code = "waits_at_limits" if line.at_limit else "waits_for_room"
            yield code, Group(line.tenant_id, line.queued, line.oldest, line.at_limit)


def _tenants(facts: Facts) -> Iterator[Found]:
    for store in facts.stores:
        if store.used >= NEARLY_FULL * store.limit:
            share = f"{store.used / store.limit:.0%} of its {store.kind}" if store.limit else f"all of its {store.kind}"
            yield "storage_nearly_full", Group(store.tenant_id, 1, None, f"{share}.", severe=store.used >= store.limit)
    yield from (("webhooks_failing", each) for each in facts.webhooks)
    for key in facts.keys:
        yield "key_expiring" if key.tenant_id else "admin_key_expiring", key


RULES = (_machinery, _spaces, _waiting, _failures, _failing_tenants, _lines, _tenants)


@dataclass(frozen=True)
class Tally:
    """What all findings come to, for the head of a page."""

    by_who: Mapping[Fault, int] = field(default_factory=dict)
    severity: Severity | None = None


def tally(found: Iterable[Finding]) -> Tally:
    by_who: dict[Fault, int] = defaultdict(int)
    worst: Severity | None = None
    for each in found:
        by_who[each.cause.who] += 1
        worst = Severity.BAD if Severity.BAD in (worst, each.severity) else Severity.WARN
    return Tally(by_who, worst)
