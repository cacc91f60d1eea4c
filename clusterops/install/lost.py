"""An operator's word that what a cluster had is lost. It is the only way in which a job ends that nobody saw end."""

from django.db.models import QuerySet

from clusterops.reconciler.recording import batches
from clusterops.usage import recording
from simulations.models import Job, Move
from tenants.clusters import Cluster

RISK = (
    "They may still run there. Nothing of theirs is accepted any more, and when the cluster answers again its "
    "reconciler ends them; until then whoever submits them again may have them run, and their machines cost, twice."
)


def may_be_lost(cluster: Cluster) -> "QuerySet[Job]":
    """What the cluster has, or may have, something of."""
    return Job.objects.in_hand().filter(cluster=cluster)


def declare_lost(jobs: "QuerySet[Job]", cluster: Cluster) -> int:
    """End them as LOST; how many. The row keeps when it was given to the cluster, so that its reconciler, once it sees
    the cluster again, looks for what is left there."""
    message = (
        f"The operator declared it lost with the cluster {cluster}, which does not answer. It may still have run "
        "there; results uploaded before that are kept. Submit it again."
    )
    ended = 0
    for batch in batches(list(jobs)):
        moves = [Move(job, Job.Status.FAILED, Job.Reason.LOST, message) for job in batch]
        ended += len(recording.move_all(moves, {job.pk: None for job in batch}))
    return ended
