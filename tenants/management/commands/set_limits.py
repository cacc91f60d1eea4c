from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from tenants.management.base import OperatorCommand, add_limit_arguments, find_tenant, given_limits, refuse
from tenants.models import Tenant


class Command(OperatorCommand):
    help = "Change a tenant's limits; the cluster's quota follows by itself. Running jobs stay. Repeating is safe."
    example = "manage.py set_limits city-a --max-cpu 40 --max-concurrent-jobs 8"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant_id")
        add_limit_arguments(parser)
        parser.add_argument(
            "--inherit",
            nargs="*",
            metavar="LIMIT",
            choices=Tenant.LIMITS,
            help="Follow the plan again in these limits; without a name, in all.",
        )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        asked = given_limits(options)
        inherited: list[str] | None = options["inherit"]
        if not asked and inherited is None:
            raise CommandError("Name at least one limit, for example --max-cpu 40.")
        tenant = find_tenant(options["tenant_id"], lock=True)  # the limits of its own are one list
        try:
            changed = {} if inherited is None else tenant.inherit(inherited or tenant.LIMITS)
            changed |= tenant.change_limits(**asked) if asked else {}
        except ValidationError as error:
            raise refuse(error) from error
        if changed:
            self.stdout.write(
                f"{tenant}: " + ", ".join(f"{name} {old} → {new}" for name, (old, new) in changed.items())
            )
        else:
            self.stdout.write(f"{tenant} has these limits already; nothing was changed.")
