"""Wishes to cancel that need no cluster: of these jobs nothing can be there."""

from django.db import transaction

from clusterops.policy.sentences import sentence
from clusterops.reconciler.measures import FINISHED
from clusterops.reconciler.pass_state import Pass
from clusterops.reconciler.recording import batches
from simulations.models import Job, Move

AT_ONCE = 1000  # in one pass


def cancel_untouched(this_pass: Pass) -> None:
    """End the waiting jobs that no pass has ever been about to make, whether or not the cluster answers.

    `dispatch` marks a job before it asks the cluster for it, so a job without a mark cannot be there. Locked, and the
    mark looked at again under the lock: a reconciler that has lost its own lock may be marking at this moment.
    """
    here = Job.objects.queued().filter(cluster=this_pass.cluster.pk)
    untouched = here.filter(cancel_requested_at__isnull=False, dispatching_at=None)
    found = list(untouched.order_by("cancel_requested_at").values_list("pk", flat=True)[:AT_ONCE])
    this_pass.more = this_pass.more or len(found) == AT_ONCE
    for batch in batches(found):
        with this_pass.isolate("cancellation of waiting jobs"), transaction.atomic():
            jobs = untouched.select_for_update().filter(pk__in=batch).order_by("pk")
            ended = len(Job.objects.move_all(_move_of(job, this_pass) for job in jobs))
            this_pass.counts.changed += ended
            FINISHED.labels(Job.Status.CANCELLED, Job.Reason.CANCELLED).inc(ended)


def _move_of(job: Job, this_pass: Pass) -> Move:
    message = sentence(Job.Reason.CANCELLED, job)
    return Move(job, Job.Status.CANCELLED, Job.Reason.CANCELLED, message, {"observed_at": this_pass.now})
