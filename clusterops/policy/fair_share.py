"""Which tenant is next where there is not room for all: the one that has had least for its weight. Pure.

Dominant resource fairness (Ghodsi et al., NSDI 2011) over a use that decays: what counts is the resource of which a
tenant takes the largest share, so that neither many CPUs nor much memory is cheap.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from simulations.models import Job
from tenants.priority import PriorityClass

# A job that has just begun has used nothing yet: it counts as if it had run so long already, so that tenants take turns
# at once and not only after their jobs have run.
AHEAD_S = 3600.0
LOW_COUNTS = 0.5
RESERVES_AFTER = timedelta(minutes=15)
LEAST_S = 1.0  # of a job that ran: the cluster's times are whole seconds


@dataclass(frozen=True)
class Resources:
    """Cores and Gi; or, over time, core-seconds and Gi-seconds."""

    cpu: float = 0.0
    memory_gi: float = 0.0

    def __add__(self, other: "Resources") -> "Resources":
        return Resources(self.cpu + other.cpu, self.memory_gi + other.memory_gi)

    def __sub__(self, other: "Resources") -> "Resources":
        return Resources(self.cpu - other.cpu, self.memory_gi - other.memory_gi)

    def __mul__(self, factor: float) -> "Resources":
        return Resources(self.cpu * factor, self.memory_gi * factor)

    def covers(self, other: "Resources") -> bool:
        return self.cpu >= other.cpu and self.memory_gi >= other.memory_gi

    def share_of(self, whole: "Resources") -> float:
        """The dominant resource's share."""
        return max(self.cpu / whole.cpu, self.memory_gi / whole.memory_gi)

    @classmethod
    def of(cls, job: Job) -> "Resources":
        return cls(job.cpu_request, job.memory_gi)


USUAL = Resources(1, 2)  # how much memory comes with a CPU, where the cluster's size is not known


def weighed(job: Job) -> Resources:
    """What it takes, as it counts against its tenant's share."""
    return Resources.of(job) * (LOW_COUNTS if job.priority_class == PriorityClass.LOW.rank else 1.0)


def decayed(use: Resources, age: timedelta, half_life: timedelta) -> Resources:
    return use * 0.5 ** (max(timedelta(0), age) / half_life)


def charged(job: Job, since: datetime | None, now: datetime) -> Resources:
    """What the job has used since `since`, until when its tenant's use is reckoned already; None: never."""
    if job.started_at is None or (not job.is_finished and job.waits):
        return Resources()
    begin = max(moment for moment in (job.started_at, job.dispatched_at, since) if moment)
    span_s = ((job.finished_at or now) - begin).total_seconds()
    return weighed(job) * max(span_s, LEAST_S if job.is_finished else 0.0)


@dataclass
class Claim:
    """A tenant's place among the tenants."""

    weight: int = 1
    used: Resources = field(default_factory=Resources)  # over time, decayed to now
    held: Resources = field(default_factory=Resources)  # by what is started and has not ended
    used_share: float | None = None  # of what all tenants used lately; None: nobody used anything
    overtaken_job: uuid.UUID | None = None  # its first job, if it found no room in the cluster
    overtaken_for: timedelta = timedelta(0)  # how long that has been so

    def is_owed_room(self, job: Job) -> bool:
        """It has found no room for so long that others must not take what becomes free."""
        return self.overtaken_job == job.pk and self.overtaken_for >= RESERVES_AFTER

    def take(self, job: Job) -> None:
        self.held += weighed(job)

    def level(self, whole: Resources) -> float:
        """The lowest goes first."""
        return (self.used + self.held * AHEAD_S).share_of(whole) / self.weight


def used_shares(used: Mapping[str, Resources], whole: Resources) -> dict[str, float]:
    """Of all that tenants used, each one's part, by its dominant resource; empty: nobody used anything."""
    shares = {tenant_id: use.share_of(whole) for tenant_id, use in used.items()}
    total = sum(shares.values())
    return {tenant_id: share / total for tenant_id, share in shares.items()} if total > 0 else {}


def held_by(jobs: Iterable[Job]) -> Resources:
    return sum((weighed(job) for job in jobs), Resources())


def used_in_words(share: float, half_life: timedelta) -> str:
    """`31 % of the last week`."""
    percent = "less than 1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"
    return f"{percent} of the last {_span(half_life)}"


def _span(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    for unit, size in (("week", 168), ("day", 24)):
        if hours >= size and hours % size == 0:
            number = int(hours // size)
            return unit if number == 1 else f"{number} {unit}s"
    return f"{hours:.3g} hours" if hours != 1 else "hour"
