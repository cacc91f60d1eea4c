"""What has to be true at the end, whatever happened: each job's one end, its runs, the limits at every instant."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from django.db.models import Sum

from clusterops.usage import posting
from clusterops.usage.counting import total
from clusterops.usage.ledger import LedgerEntry
from clusterops.usage.models import PodRun
from simulations.models import Job, JobEvent
from tests.chaos.ledger import Entry, Ledger
from tests.chaos.world import Told

LIMITS_LAG_S = 10.0  # what was started under a higher limit may begin to run this much later
CLOCK_S = 0.05  # how late a death may be noticed
INFRASTRUCTURE = {"NODE_LOST", "PREEMPTED", "INTERRUPTED", "KILLED", "LOST", "RUNNER_ERROR"}
DELETED = {"DELETED_EXTERNALLY", "LOST"}


def violations(
    ledger: Ledger, told: Mapping[str, Told], limits: Mapping[str, list[tuple[float, dict[str, int]]]], since: int = 0
) -> list[str]:
    """Everything that is wrong, one sentence each, with the jobs of these tenants and the ledger from entry `since`."""
    jobs = {str(job.pk): job for job in Job.objects.filter(tenant__in=limits)}
    events: dict[str, list[JobEvent]] = defaultdict(list)
    for event in JobEvent.objects.filter(job__tenant__in=limits).order_by("id"):
        events[str(event.job_id)].append(event)
    runs: dict[str, list[Entry]] = defaultdict(list)
    for entry in sorted(ledger.entries[since:], key=lambda entry: entry.started):
        runs[entry.job_id].append(entry)
    found = [f"pod {pod} was started twice" for pod in ledger.twice]
    found += [f"job {job_id} ran and nobody submitted it" for job_id in runs.keys() - told.keys()]
    if jobs.keys() != told.keys():
        found.append(f"jobs submitted {len(told)}, rows {len(jobs)}")
    for job_id, what in told.items():
        problems = [*_ends_once(jobs[job_id], events[job_id]), *_ran_as_it_may(jobs[job_id], runs[job_id], what)]
        problems += [*_agrees(jobs[job_id], runs[job_id], what), *_outlived(events[job_id], runs[job_id])]
        told = " → ".join(f"{event.at:%M:%S.%f} {event.reason}/{event.attempt}" for event in events[job_id])
        found += [f"job {job_id} ({what.fate.kind}): {problem}; {told}; {runs[job_id]}" for problem in problems]
    found += _booked(limits)
    for tenant, history in limits.items():
        own = [job for job in jobs.values() if job.tenant_id == tenant]
        found += beyond_limits(tenant, history, [(job, entry) for job in own for entry in runs[str(job.pk)]])
    return found


def _booked(tenants: Iterable[str]) -> Iterator[str]:
    """Wherever it was killed: what is in the ledger is what ran and is billed, once each, to the second."""
    posting.post_all()
    runs = total(PodRun.objects.ended().filter(tenant_name__in=tenants)).billable
    rows = LedgerEntry.objects.filter(tenant_name__in=tenants).order_by().values_list("item").annotate(Sum("quantity"))
    booked = dict(rows)
    for item, ran in (("cpu_hour", runs.cpu_seconds), ("gib_hour", runs.gib_seconds), ("run", runs.runs)):
        if booked.get(item, 0) != ran:
            yield f"{ran} of {item} ran and are billed, {booked.get(item, 0)} are in the ledger"


def _ends_once(job: Job, events: list[JobEvent]) -> Iterator[str]:
    ends = [event for event in events if event.status in Job.TERMINAL]
    if not job.is_finished:
        yield "it has not ended"
    elif len(ends) != 1:
        yield f"{len(ends)} terminal events"
    elif events[-1] is not ends[0]:
        yield f"an event after the terminal one: {events[-1].reason}"
    elif (ends[0].status, ends[0].reason, ends[0].message) != (job.status, job.reason, job.message):
        yield "its row and its last event differ"
    order = [event.status for event in events]
    if "RUNNING" in order and "PENDING" in order[order.index("RUNNING") :]:
        yield "it went back from RUNNING to PENDING"


def _ran_as_it_may(job: Job, runs: list[Entry], what: Told) -> Iterator[str]:
    for first, second in pairwise(runs):
        if first.ended > second.started + CLOCK_S:
            yield f"two of its processes ran at once: {first.pod} and {second.pod}"
        if first.attempt == second.attempt and first.pod not in what.disrupted:
            yield f"attempt {first.attempt} ran again after {first.pod} (code {first.code})"
    if any(entry.attempt > job.attempt for entry in runs):
        yield f"it ran as attempt {max(entry.attempt for entry in runs)}, its row says {job.attempt}"
    if job.attempt > what.fate.attempts and not (what.disrupted or what.deleted):
        yield f"{job.attempt} attempts without a reason"
    if what.undisturbed and len(runs) != what.fate.attempts:
        yield f"it ran {len(runs)} times instead of {what.fate.attempts}"


def _agrees(job: Job, runs: list[Entry], what: Told) -> Iterator[str]:
    outcome = (job.status, job.reason)
    allowed = {(what.fate.status, what.fate.reason)}
    if what.cancelled:
        allowed.add(("CANCELLED", "CANCELLED"))
    if what.deleted:
        allowed |= {("FAILED", reason) for reason in DELETED}
    if what.disrupted:
        allowed |= {("FAILED", reason) for reason in INFRASTRUCTURE}
    if (what.deleted or what.disrupted) and runs and runs[-1].code == 0:
        allowed.add(("FAILED", "RESULTS_NOT_STORED"))  # its message went with the pod; these pods upload no manifest
    if outcome not in allowed:
        yield f"allowed were {sorted(allowed)}; it ran {[(e.pod, e.code) for e in runs]}"
    last = runs[-1] if runs else None
    if job.status == "SUCCEEDED" and (last is None or last.code != 0 or last.attempt != job.attempt):
        yield f"it did not succeed: its last process is {last}"
    if job.status == "CANCELLED" and not what.cancelled:
        yield "nobody cancelled it"


def _outlived(events: list[JobEvent], runs: list[Entry]) -> Iterator[str]:
    for event in events:
        if event.status in Job.TERMINAL:
            for entry in runs:
                if entry.ended > event.at.timestamp() + CLOCK_S:
                    yield f"{entry.pod} ran {entry.ended - event.at.timestamp():.2f} s beyond the job's end"


def beyond_limits(
    tenant: str, history: list[tuple[float, dict[str, int]]], runs: Iterable[tuple[Job, Entry]]
) -> Iterator[str]:
    """Every start that made the tenant's processes use more than any limit in force lately."""
    happenings: list[tuple[float, int, Job]] = []
    for job, entry in runs:
        happenings += [(entry.started, 1, job), (entry.ended, -1, job)]
    used = dict.fromkeys(("max_concurrent_jobs", "max_cpu", "max_memory_gi"), 0)
    since = [at for at, _ in history]
    for at, sign, job in sorted(happenings, key=lambda each: each[:2]):
        for name, amount in (
            ("max_concurrent_jobs", 1),
            ("max_cpu", job.cpu_request),
            ("max_memory_gi", job.memory_gi),
        ):
            used[name] += sign * amount
        if sign > 0:
            recent = history[max(0, bisect_right(since, at - LIMITS_LAG_S) - 1) : bisect_right(since, at)]
            for name, amount in used.items():
                most = max(limits[name] for _, limits in recent)
                if amount > most:
                    yield f"tenant {tenant} used {amount} at {at:.3f} when {name} was {most} (job {job.pk})"
