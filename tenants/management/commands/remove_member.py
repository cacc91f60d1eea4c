from typing import Any

from django.core.management.base import CommandError, CommandParser

from tenants.management.base import OperatorCommand, find_tenant
from tenants.members import Member


class Command(OperatorCommand):
    help = "Take a person's place in a tenant away, also the last owner's. The account stays."
    example = "manage.py remove_member city-a nora"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant")
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = find_tenant(options["tenant"])
        gone, _ = Member.objects.filter(tenant=tenant, user__username=options["username"]).delete()
        if not gone:
            raise CommandError(f"{options['username']} is no member of {tenant}; `manage.py list_members` names them.")
        self.stdout.write(f"{options['username']} belongs to {tenant} no more.")
