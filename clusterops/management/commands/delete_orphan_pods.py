from typing import Any

from django.core.management.base import CommandError, CommandParser

from clusterops import installation
from clusterops.errors import GatewayError
from clusterops.gateway import path_of
from clusterops.install import installer
from clusterops.management.operator import add_kubeconfig_argument, meant_cluster, operator_api
from clusterops.objects import manifests
from simulations.models import Job
from tenants.management.base import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Delete simulation pods that no Kubernetes Job owns any more: somebody deleted the Job without its pods. "
        "Pods that still run for a wanted job stay. The service's own identity may not delete pods: this needs an "
        "operator's. The jobs' rows follow by themselves."
    )
    example = "manage.py delete_orphan_pods --dry-run"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say which")
        add_kubeconfig_argument(parser)

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        try:
            own = meant_cluster(options)
            api = operator_api(options, own)
            pods = [
                pod["metadata"]
                for pod in api.items(path_of("pods"), query={"labelSelector": installation.selector(own.label)})
            ]
            orphans = [pod for pod in pods if not pod.get("ownerReferences")]
            wanted = {
                job.hex for job in Job.objects.active().filter(cancel_requested_at=None).values_list("pk", flat=True)
            }
            for pod in orphans:
                where = f"{pod['namespace']}/{pod['name']} of job {pod['labels'].get(manifests.JOB_ID, 'unknown')}"
                if pod["labels"].get(manifests.JOB_ID) in wanted:
                    self.stdout.write(f"Kept {where}: the job is wanted and may still end well; cancel it first.")
                elif dry_run:
                    self.stdout.write(f"Would delete {where}.")
                elif installer.delete(api, path_of("pods", pod["namespace"], pod["name"])):
                    self.stdout.write(f"Deleted {where}.")
        except GatewayError as error:
            raise CommandError(f"The cluster refused or does not answer: {error}") from error
        self.stdout.write(f"{len(orphans)} of {len(pods)} simulation pod(s) belonged to no Job.")
