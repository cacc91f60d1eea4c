import uuid
from typing import Any

from django.core.management.base import CommandError, CommandParser

from clusterops.install.lost import RISK, declare_lost, may_be_lost
from simulations.models import Job
from tenants.clusters import Cluster
from tenants.management.base import OperatorCommand, find_cluster


class Command(OperatorCommand):
    help = (
        "Say that what a cluster had is lost: its jobs that have begun end as LOST, so that their tenants can submit "
        "them again elsewhere. Only for a cluster that is marked as down. " + RISK
    )
    example = "manage.py declare_lost frankfurt --yes"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", metavar="CLUSTER|JOB", help="all that a cluster had, or one job")
        parser.add_argument("--yes", action="store_true", help="do it; without it only say what would be done")

    def handle(self, *args: Any, what: str, yes: bool, **options: Any) -> None:
        try:
            job = Job.objects.select_related("cluster").filter(pk=uuid.UUID(what)).first()
        except ValueError:
            job = None
        cluster = job.cluster if job else find_cluster(what)
        if cluster.state != Cluster.State.DOWN:
            raise CommandError(
                f"The cluster {cluster} is {cluster.state}: its reconciler knows better how its jobs end. If it is "
                "lost, set its state to down in the admin first; to stop a job, cancel it."
            )
        jobs = may_be_lost(cluster).filter(pk=job.pk) if job else may_be_lost(cluster)
        if not yes:
            self.stdout.write(f"{jobs.count()} job(s) would end as LOST. {RISK} Repeat it with --yes to do so.")
            return
        self.stdout.write(f"{declare_lost(jobs, cluster)} job(s) ended as LOST.")
