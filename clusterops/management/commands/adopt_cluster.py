from typing import Any

from django.core.management.base import CommandError, CommandParser

from clusterops.errors import GatewayError
from clusterops.install.adoption import adopt, rename
from clusterops.management.operator import add_kubeconfig_argument, meant_cluster, operator_api
from tenants.management.base import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Mark the tenants' namespaces of this database, and what is in them, as this installation's: after an upgrade "
        "from a version without installation ids, or (with --from) after a change of INSTALLATION_ID. Needs an "
        "operator's identity, since the service may not change pods. For a copy of another installation's database, "
        "leave --from out: its namespaces stay that one's. Repeating is safe."
    )
    example = "manage.py adopt_cluster --dry-run"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="former", default="", metavar="ID", help="also what bears this former id")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be adopted")
        add_kubeconfig_argument(parser)

    def handle(self, *args: Any, former: str, dry_run: bool, **options: Any) -> None:
        try:
            own = meant_cluster(options)
            api = operator_api(options, own)
            self.stdout.write(f"This is the installation {rename(dry_run=dry_run)}.")
            for line in adopt(api, own.pk, former=former, dry_run=dry_run):
                self.stdout.write(line)
        except GatewayError as error:
            raise CommandError(f"The cluster refused or does not answer: {error}") from error
