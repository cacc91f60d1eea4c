"""What is submitted, and what ends, while a pass goes on does not wait for its end."""

import time
import uuid

from clusterops import errors
from clusterops.reconciler.dispatch import dispatch
from clusterops.reconciler.pass_state import Pass, Stopped, log
from clusterops.reconciler.told import record_told
from simulations.models import Job


def start_more(this_pass: Pass, *, until: float) -> None:
    """The dispatch of a pass that is over, once more; see `dispatch`. Raises database errors only."""
    before = this_pass.counts.created
    try:
        with this_pass.isolate("dispatch"):
            dispatch(this_pass, until)
    except (Stopped, errors.GatewayError):
        this_pass.more_to_start = False  # `this_pass.unreachable` says why
    if created := this_pass.counts.created - before:
        log.info("started beside a pass: %d", created)


class Meanwhile:
    """Between the pages of a pass's lists and between its steps: call it, and what watches told of is ended; and what
    was submitted, or has room now, is started, one batch at a time and half of the time at most.

    Before the pass has seen the cluster whole and recorded what it saw, the pass before it dispatches: it has counted
    what it started since. In between nobody does, as neither knows which attempts have just been given up.
    """

    def __init__(self, this_pass: Pass) -> None:
        self._own, self._memory = this_pass, this_pass.memory
        self._knows = this_pass.memory.last_pass
        self._tried_before: frozenset[uuid.UUID] = frozenset(self._knows.tried if self._knows else ())
        self._next_at = float("-inf")
        self._has_room = False
        self.spent_s = 0.0

    def __call__(self) -> None:
        came = time.monotonic()
        self._has_room = record_told(self._own, self._knows) or self._has_room
        began = time.monotonic()
        self.spent_s += began - came
        able = self._knows is not None and self._knows.able and began >= self._next_at
        if self._knows is None or not able or not (self._memory.submitted() or self._has_room):
            return
        self._has_room = False
        start_more(self._knows, until=began)
        ended = time.monotonic()
        self.spent_s += ended - began
        self._next_at = ended + (ended - began)

    def hand_over(self, this_pass: Pass) -> None:
        """From now on `this_pass` dispatches."""
        self._knows = this_pass

    def settle(self, this_pass: Pass) -> list[Job]:
        """Once its lists are there: what was started since it read its rows is not what those said. Returns what is not
        in the lists, or only with a pod: it was made while they were taken, so they say nothing of it.
        """
        if self._knows is None:
            return []
        tried = self._knows.tried - self._tried_before
        started = [job for job in self._knows.jobs if job.pk in tried and job.dispatched_at and not job.is_finished]
        unlisted = []
        for job in started:
            run = this_pass.current(job)
            if run is None or not run.job_exists:
                this_pass.by_job.pop(job.job_id.hex, None)
                unlisted.append(job)
        made = {job.pk for job in started}
        this_pass.jobs = [job for job in this_pass.jobs if job.pk not in made]
        return unlisted
