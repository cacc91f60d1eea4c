from typing import Any

from django.core.management.base import CommandError, CommandParser

from clusterops.errors import GatewayError
from clusterops.install.offboarding import NotEnded, offboard, plan
from clusterops.management.operator import add_kubeconfig_argument, operator_api
from tenants.management.base import OperatorCommand, find_tenant


class Command(OperatorCommand):
    help = (
        "Let a tenant go: refuse its keys, cancel its jobs and wait for their end, delete its namespace, and keep or "
        "erase its data. Runs with the operator's own rights; repeating goes on where it ended."
    )
    example = "manage.py offboard_tenant city-a --keep-data --dry-run"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant_id")
        data = parser.add_mutually_exclusive_group(required=True)
        data.add_argument("--keep-data", action="store_true", help="Keep scenarios, jobs and results.")
        data.add_argument("--erase-data", action="store_true", help="Delete them, the keys and the tenant for good.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done, change nothing.")
        parser.add_argument("--wait", type=float, default=180, metavar="S", help="For jobs to end (default: 180).")
        add_kubeconfig_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = find_tenant(options["tenant_id"])
        try:
            api, erase = operator_api(options, tenant.cluster), options["erase_data"]
            if options["dry_run"]:
                steps = plan(api, tenant, erase=erase)
            else:
                steps = offboard(api, tenant, erase=erase, patience_s=options["wait"])
            for step in steps:
                self.stdout.write(step)
        except NotEnded as error:
            raise CommandError(str(error)) from error
        except GatewayError as error:
            raise CommandError(f"The cluster said no, and the rest was left as it is: {error}") from error
