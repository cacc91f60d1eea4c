"""What the steps of one reconciler pass share: what was seen, what is counted, and what may not stop the others."""

import logging
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Protocol

from django.db import InterfaceError, OperationalError

from clusterops import errors
from clusterops.contract import Node, Phase, Run
from clusterops.gateway import Gateway
from clusterops.models import FairShare
from clusterops.policy.fair_share import Resources
from clusterops.reconciler.rate import Bucket
from clusterops.reconciler.troubles import Troubles
from simulations.models import Job
from tenants.clusters import FIRST, Cluster, first_cluster

log = logging.getLogger("clusterops.reconciler")

CALLS_AT_ONCE = 8  # to the cluster, from one step
UNREACHABLE_LIMIT = 3  # that many unanswered calls end the pass: each may cost a whole time-out
# SQLSTATE classes of an OperationalError that is about one statement, not about the server or the way to it: data that
# exceeds a limit, a deadlock, a lock that was not to be had.
ONE_STATEMENT = {"54", "40", "55"}


def is_database_lost(error: BaseException) -> bool:
    """Whether nothing more may be done: without the database, the lock may be another's already."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    return (getattr(error.__cause__, "sqlstate", None) or "")[:2] not in ONE_STATEMENT


def as_uuid(text: str) -> uuid.UUID | None:
    """A label's value as a job's key; None if it cannot be one."""
    try:
        return uuid.UUID(hex=text)
    except ValueError:
        return None


class Stopped(Exception):
    """The process was asked to end; the pass ends after the step it is in."""


@dataclass(frozen=True)
class Silence:
    """Of a pod or a node that was asked for a log in vain: it is not asked again until `until` (time.monotonic())."""

    until: float
    rest_s: float


@dataclass
class Memory:
    """What a process carries from pass to pass: pacing only. Losing it costs time, never correctness."""

    stop: threading.Event = field(default_factory=threading.Event)
    cluster_id: int = FIRST  # to which this process attends
    works_for_all: Callable[[], bool] = lambda: True  # what is done once for all clusters is this process's part
    done_at: dict[str, float] = field(default_factory=dict)  # task → time.monotonic() of its last time
    bucket: Bucket = field(default_factory=Bucket)  # Jobs that may be created now
    log_pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(CALLS_AT_ONCE, "log"))
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(CALLS_AT_ONCE, "cluster"))
    troubles: Troubles = field(default_factory=Troubles)
    nodes: tuple[Node, ...] = ()  # that take jobs, as last seen; with CAPACITY=nodes
    node_pool: Resources | None = None  # with CAPACITY as a sum
    keeper: "Keeper | None" = None  # reads logs beside the passes; None: each pass waits for its logs
    traffic_keeper: "Keeper | None" = None  # the same for the traffic of studies
    told: dict[str, set[str]] = field(default_factory=dict)  # way → causes in the last digest that operators got by it
    silent: dict[str, Silence] = field(default_factory=dict)  # pods and nodes whose last log did not come
    submitted: Callable[[], bool] = lambda: False  # whether jobs were, since it was asked last
    ended: list[Job] = field(default_factory=list)  # beside passes, and not charged yet; see `told`
    last_pass: "Pass | None" = None  # dispatches until the next one knows enough; see `meanwhile`

    def due(self, task: str, every_s: float) -> bool:
        """True, and noted as done now, if `task` was not done for `every_s` seconds."""
        now = time.monotonic()
        if now - self.done_at.get(task, float("-inf")) < every_s:
            return False
        self.done_at[task] = now
        return True


@dataclass
class Counts:
    """Of one pass; stored in ReconcilerState.counts and logged."""

    jobs: int = 0  # that the cluster may have something of, when the pass began
    runs: int = 0  # of ours in the cluster
    queued: int = 0
    starting: int = 0
    running: int = 0
    changed: int = 0
    created: int = 0
    released: int = 0
    deleted: int = 0
    logs: int = 0
    namespaces: int = 0  # written to
    repaired: int = 0  # of these: changed by another hand
    strays: int = 0  # Jobs of ours that no row wants, waiting for their grace to end
    orphan_pods: int = 0  # pods of ours that nothing owns; an operator's command removes them
    unreadable: int = 0  # objects in a shape never seen; see ReconcilerState.troubles
    failing: int = 0  # jobs, tenants and objects that fail pass after pass; see ReconcilerState.troubles
    errors: int = 0

    def add(self, others: "Counts") -> None:
        for name, value in asdict(others).items():
            setattr(self, name, getattr(self, name) + value)


class Keeper(Protocol):
    """Does beside the passes what need not be waited for; see `beside`."""

    def is_free(self, this_pass: "Pass") -> bool: ...

    def give(self, this_pass: "Pass", work: "Callable[[Pass], None]") -> None: ...


@dataclass(frozen=True)
class LastLog:
    """The log of a run that is about to go, to be read after all that is more urgent; then, if `delete`, it goes."""

    job: Job
    run: Run
    is_final: bool
    delete: bool


@dataclass
class Pass:
    """One pass under way."""

    gateway: Gateway
    memory: Memory
    now: datetime
    cluster: Cluster = field(default_factory=first_cluster)
    others: frozenset[int] = frozenset()  # clusters
    guests: frozenset[str] = frozenset()  # tenants that have jobs here and their home in another cluster
    begun: float = field(default_factory=time.monotonic)
    jobs: list[Job] = field(default_factory=list)  # `JobQuerySet.in_hand`, and what it started; updated in place
    runs: list[Run] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    blocked: set[uuid.UUID] = field(default_factory=set)  # an earlier attempt still ends: not to be started yet
    fit: set[str] = field(default_factory=set)  # tenants whose namespace was found as wanted
    told: set[uuid.UUID] = field(default_factory=set)  # ended since; its lists may not know; see `told`
    tried: set[uuid.UUID] = field(default_factory=set)  # started, or refused for the time being
    more_to_start: bool = False  # there is more to start: see `dispatch`
    seen: bool = False  # the cluster answered
    settled: bool = False  # what it said of each job is recorded
    more: bool = False  # something is left that the next pass can do at once
    unreachable: int = 0
    lists_s: float = 0.0  # spent on the cluster's lists
    rest_s: float = 0.0  # the cluster asked to be left alone for so long
    by_job: dict[str, list[Run]] = field(default_factory=lambda: defaultdict(list))
    shares: dict[str, FairShare] = field(default_factory=dict)  # by tenant
    last_logs: list[LastLog] = field(default_factory=list)

    def look(self, runs: list[Run]) -> None:
        self.runs = runs
        self.seen = True
        for run in runs:
            self.by_job[run.job_id].append(run)
            if run.phase is Phase.UNREADABLE:
                self.odd(run.detail)

    @property
    def able(self) -> bool:
        """Jobs may be started by what it knows: the cluster answered, and goes on answering."""
        return self.seen and self.settled and not self.unreachable

    def forget_runs(self) -> None:
        """Jobs can be started without: the next pass's lists need the memory."""
        self.runs, self.by_job = [], defaultdict(list)

    def odd(self, what: str) -> None:
        """Tell of an object in a shape never seen."""
        self.counts.unreadable += 1
        if not self.memory.troubles.rests(what):
            log.warning("%s", what)
            self.memory.troubles.failed(what, "It is left as it is.", self.now)

    def rests(self, what: str) -> bool:
        """Whether `what` failed before and steps back: nothing is to be tried with it in this pass."""
        return self.memory.troubles.rests(what)

    def current(self, job: Job) -> Run | None:
        """The run of the job's present attempt; one with a Job rather than a pod left behind under its name."""
        named = [
            run
            for run in self.by_job.get(job.job_id.hex, ())
            if run.name == job.k8s_job_name and run.namespace == job.k8s_namespace
        ]
        return max(named, key=lambda run: run.job_exists, default=None)

    def earlier(self, job: Job) -> list[Run]:
        """Runs of the job under another name: attempts given up."""
        return [run for run in self.by_job.get(job.job_id.hex, ()) if run.name != job.k8s_job_name]

    @contextmanager
    def isolate(self, what: str, *, done: bool = True) -> Iterator[None]:
        """One bad job, tenant or step does not block the others. A cluster that stops answering ends the pass.

        What fails steps back: ask `rests` before the next try. Not `done`: more of it follows that may fail.
        """
        if self.memory.stop.is_set():
            raise Stopped
        try:
            yield
        except errors.ClusterUnreachable as error:
            self._failed(what, error)
            self.unreachable += 1
            self.rest_s = max(self.rest_s, error.retry_after_s or 0.0)
            log.warning("%s: %s", what, error)
            if self.unreachable >= UNREACHABLE_LIMIT:
                raise
        except errors.GatewayError as error:
            self._failed(what, error)
            log.warning("%s: %s", what, error)
        except Stopped:
            raise
        except Exception as error:
            if is_database_lost(error):
                raise
            self._failed(what, error)
            log.exception("%s failed", what)
        else:
            if done:
                self.memory.troubles.over(what)

    def _failed(self, what: str, error: Exception) -> None:
        self.counts.errors += 1
        said = str(error) if isinstance(error, errors.GatewayError) else f"{type(error).__name__}: {error}"
        self.memory.troubles.failed(what, said, self.now)

    def summary(self) -> dict[str, Any]:
        return asdict(self.counts)
