from typing import Any

from django.core.management.base import CommandError, CommandParser

from simulations.services.moving import move_tenant
from tenants.errors import ApiError
from tenants.management.base import OperatorCommand, find_cluster, find_tenant


class Command(OperatorCommand):
    help = (
        "Give a tenant another cluster as its home. Jobs that have not begun go along; those that have begun end where "
        "they are, and hold their part of the tenant's limits until then. Results stay readable. Repeating is safe."
    )
    example = "manage.py move_tenant city-a --to frankfurt"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant_id")
        parser.add_argument("--to", required=True, metavar="CLUSTER")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant, to = find_tenant(options["tenant_id"]), find_cluster(options["to"])
        try:
            moved = move_tenant(tenant_id=tenant.pk, to=to)
        except ApiError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"The home of {tenant} is {to}. {moved.came} job(s) that had not begun came along.")
        if moved.stay:
            self.stdout.write(f"{moved.stay} job(s) have begun elsewhere and end there.")
        if to.state != to.State.ACTIVE:
            self.stdout.write(f"Nothing is started there at present: {to.get_state_display()}.")
        if tenant.cluster != to:
            self.stdout.write(
                f"When nothing of it runs in {tenant.cluster} any more, delete its namespace {tenant.namespace} there: "
                f"kubectl delete namespace {tenant.namespace}."
            )
