from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from tenants.management.base import OperatorCommand, add_limit_arguments, find_tenant, given_limits, refuse


class Command(OperatorCommand):
    help = "Change a tenant's limits; the cluster's quota follows by itself. Running jobs stay. Repeating is safe."
    example = "manage.py set_limits city-a --max-cpu 40 --max-concurrent-jobs 8"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant_id")
        add_limit_arguments(parser)

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        asked = given_limits(options)
        if not asked:
            raise CommandError("Name at least one limit, for example --max-cpu 40.")
        tenant = find_tenant(options["tenant_id"])
        try:
            changed = tenant.change_limits(**asked)
        except ValidationError as error:
            raise refuse(error) from error
        if changed:
            self.stdout.write(
                f"{tenant}: " + ", ".join(f"{name} {old} → {new}" for name, (old, new) in changed.items())
            )
        else:
            self.stdout.write(f"{tenant} has these limits already; nothing was changed.")
