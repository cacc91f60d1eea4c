"""Which jobs: what the rest asks the table for."""

import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db import models
from django.db.models.fields.json import KT
from django.utils import timezone

from simulations.models.json_columns import Progress
from simulations.models.moves import Move, make_all
from simulations.sumo.protocol.endings import WAITING, Reason
from tenants.database import slow_statements_allowed

if TYPE_CHECKING:
    from simulations.models.job import Job  # noqa: F401 - named in brackets below

# Of active jobs: those whose present attempt has not begun, and those of which the cluster has, or may have, something.
WAITS = models.Q(status="PENDING") | models.Q(dispatched_at=None) | models.Q(reason__in=WAITING)
IN_HAND = models.Q(status="RUNNING") | models.Q(dispatching_at__isnull=False) | models.Q(dispatched_at__isnull=False)


class JobQuerySet(models.QuerySet["Job"]):
    def active(self) -> "JobQuerySet":
        """Jobs that have not ended."""
        return self.filter(status__in=self.model.ACTIVE)

    def waiting(self) -> "JobQuerySet":
        """Active jobs that do not run at present, those that begin again among them."""
        return self.active().filter(WAITS)

    def running(self) -> "JobQuerySet":
        """Jobs whose present attempt has begun, as far as is known."""
        return self.in_hand().exclude(WAITS)  # in hand they are all: said, so that the queue is not walked

    def queued(self) -> "JobQuerySet":
        """Jobs that wait to be given to the cluster."""
        return self.filter(status=self.model.Status.PENDING, dispatched_at=None)

    def in_hand(self) -> "JobQuerySet":
        """Active jobs that the cluster has, or may have, something of; never the queue. Follows `jobs_in_hand`."""
        return self.active().filter(IN_HAND)

    def move_all(self, moves: Iterable[Move]) -> set[uuid.UUID]:
        """See `moves.make_all`."""
        return make_all(moves)

    def run(self, job_id: uuid.UUID, attempt: int) -> "JobQuerySet":
        """That attempt of the job, if it is the present one and the job has not ended."""
        return self.active().filter(pk=job_id, attempt=attempt)

    def record_progress(self, job_id: uuid.UUID, attempt: int, progress: Progress) -> bool:
        """One UPDATE; False if that attempt is over."""
        return bool(self.run(job_id, attempt).update(progress=progress, progress_at=timezone.now()))

    def request_cancel(self) -> int:
        """Wish for the end of those that have not ended and are not being cancelled yet; how many. One statement."""
        wishes = self.active().filter(cancel_requested_at=None).order_by()
        with slow_statements_allowed():  # 170,000 take some seconds
            return wishes.update(cancel_requested_at=timezone.now())

    def because(self, reason: str) -> "JobQuerySet":
        """Jobs with that reason. What stands in no index of reasons is told by its status as well, which is in one."""
        found = self.filter(reason=reason)
        if reason == Reason.COMPLETED:
            found = found.filter(status=self.model.Status.SUCCEEDED)
        return found.active() if reason == Reason.QUEUED else found

    def of_scenario(self, scenario_id: str) -> "JobQuerySet":
        """Jobs that asked for a scenario of this name, whether or not it still exists."""
        return self.annotate(asked_for=KT("scenario_data__scenario_id")).filter(asked_for=scenario_id)
