"""Remove what install_cluster installed."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from clusterops.errors import GatewayError
from clusterops.install import installer, uninstaller
from clusterops.management.operator import add_cluster_arguments, operator_api
from tenants.management.base import OperatorCommand


class Command(OperatorCommand):
    help = "Remove the control plane. Volumes, the Secret, the Namespace and tenants' namespaces stay unless told."
    example = "manage.py uninstall_cluster --overlay local --dry-run"
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_cluster_arguments(parser)
        parser.add_argument("--data", action="store_true", help="also volumes, Secret and Namespace: all data is lost")
        parser.add_argument("--tenants", action="store_true", help="also every tenant's namespace and what runs there")
        parser.add_argument("--yes", action="store_true", help="needed with --data and --tenants")
        parser.add_argument("--dry-run", action="store_true", help="say what would be deleted, change nothing")

    def handle(self, **options: Any) -> None:
        data, tenants, dry_run = options["data"], options["tenants"], options["dry_run"]
        if (data or tenants) and not (options["yes"] or dry_run):
            raise CommandError("--data and --tenants delete for good: add --yes, or --dry-run to see what would go.")
        try:
            objects = installer.load(installer.overlay_folder(options["overlay"]), namespace=options["namespace"])
            api = operator_api(options)
            for step in uninstaller.uninstall(api, objects, data=data, tenants=tenants, dry_run=dry_run):
                self.stdout.write(f"{step.subject:<55} {step.state}")
            left = [] if tenants else uninstaller.tenant_namespaces(api, installer.namespace_of(objects))
        except (installer.InstallError, GatewayError) as error:
            raise CommandError(str(error)) from error
        if left:
            self.stdout.write(f"Tenants' namespaces that stay: {', '.join(left)}.")
        if not data:
            self.stdout.write("Volumes, the Secret and the Namespace stay; --data deletes them.")
