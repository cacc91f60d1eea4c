"""One line for each thing the product needs of a cluster, and of the database."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from clusterops.errors import GatewayError
from clusterops.install.cluster_check import Finding, Verdict, check, check_database
from clusterops.management.operator import add_kubeconfig_argument, named_cluster, operator_api
from tenants.management.base import OperatorCommand


class Command(OperatorCommand):
    help = "Check that the cluster is fit and that this identity may do what the code does; one line each."
    example = "kubectl -n sumok8 exec deploy/sumok8-reconciler -- python manage.py check_cluster"
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_kubeconfig_argument(parser)
        parser.add_argument(
            "--identity", choices=["web", "reconciler"], default="reconciler", help="whose permissions (reconciler)"
        )
        parser.add_argument("--no-probe", action="store_true", help="start no pod that tries to reach the service")

    def _findings(self, options: dict[str, Any]) -> Iterator[Finding]:
        if settings.DATABASES["default"]["NAME"]:  # an operator's machine may not know it
            yield check_database()
        own = named_cluster(options)
        yield from check(operator_api(options, own), options["identity"], own, probe=not options["no_probe"])

    def handle(self, **options: Any) -> None:
        missing = 0
        try:
            for finding in self._findings(options):
                missing += finding.verdict is Verdict.MISSING
                self.stdout.write(f"{finding.verdict.value:<8} {finding.subject:<50} {finding.text}")
        except GatewayError as error:
            raise CommandError(str(error)) from error
        if missing:
            raise CommandError(f"{missing} thing(s) are missing: see the lines above.")
        self.stdout.write("Nothing is missing.")
