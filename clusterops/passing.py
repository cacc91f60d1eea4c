"""What the steps of one reconciler pass share: what was seen, what is counted, and what may not stop the others."""

import logging
import threading
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import InterfaceError, OperationalError

from clusterops import errors
from clusterops.contract import Run
from clusterops.gateway import Gateway
from simulations.models import Job

log = logging.getLogger("clusterops.reconciler")

UNREACHABLE_LIMIT = 3  # that many unanswered calls end the pass: each may cost a whole time-out


class Stopped(Exception):
    """The process was asked to end; the pass ends after the step it is in."""


@dataclass
class Memory:
    """What a process carries from pass to pass: pacing only. Losing it costs time, never correctness."""

    stop: threading.Event = field(default_factory=threading.Event)
    done_at: dict[str, float] = field(default_factory=dict)  # task → time.monotonic() of its last time
    created_at: deque[float] = field(default_factory=deque)  # time.monotonic() of Jobs created lately

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

    jobs: int = 0  # active when the pass began
    runs: int = 0  # of ours in the cluster
    queued: int = 0
    starting: int = 0
    running: int = 0
    changed: int = 0
    created: int = 0
    released: int = 0
    deleted: int = 0
    logs: int = 0
    spaces: int = 0  # written to
    repaired: int = 0  # of these: changed by another hand
    strays: int = 0  # Jobs of ours that no row wants, waiting for their grace to end
    orphan_pods: int = 0  # pods of ours that nothing owns; an operator's command removes them
    errors: int = 0


@dataclass
class Pass:
    """One pass under way."""

    gateway: Gateway
    memory: Memory
    now: datetime
    begun: float = field(default_factory=time.monotonic)
    jobs: list[Job] = field(default_factory=list)  # active when it began; rows are updated in place
    runs: list[Run] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    blocked: set[uuid.UUID] = field(default_factory=set)  # an earlier attempt still ends: not to be started yet
    seen: bool = False  # the cluster answered
    more: bool = False  # something is left that the next pass can do at once
    unreachable: int = 0
    rest_s: float = 0.0  # the cluster asked to be left alone for so long
    by_job: dict[str, list[Run]] = field(default_factory=lambda: defaultdict(list))

    def look(self, runs: list[Run]) -> None:
        self.runs = runs
        self.seen = True
        for run in runs:
            self.by_job[run.job_id].append(run)

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
    def wall(self, what: Any) -> Iterator[None]:
        """One bad job, tenant or log does not block the others. A cluster that stops answering ends the pass."""
        if self.memory.stop.is_set():
            raise Stopped
        try:
            yield
        except errors.ClusterUnreachable as error:
            self.counts.errors += 1
            self.unreachable += 1
            self.rest_s = max(self.rest_s, error.retry_after_s or 0.0)
            log.warning("%s: %s", what, error)
            if self.unreachable >= UNREACHABLE_LIMIT:
                raise
        except errors.GatewayError as error:
            self.counts.errors += 1
            log.warning("%s: %s", what, error)
        except (Stopped, OperationalError, InterfaceError):
            raise  # without the database, the lock may be another's already: nothing more may be started
        except Exception:
            self.counts.errors += 1
            log.exception("%s failed", what)

    def summary(self) -> dict[str, Any]:
        return asdict(self.counts)
