from typing import Any

from django.core.management.base import CommandError, CommandParser

from tenants.management.base import OperatorCommand
from tenants.models import ApiKey


class Command(OperatorCommand):
    help = "Refuse an API key from now on. Repeating it changes nothing."
    example = "manage.py revoke_api_key sk8_Ab3dE6gH"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "prefix", help="The key's first 12 characters, as `list_tenants --keys` and the admin show."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        prefix = options["prefix"]
        if len(prefix) > 12:
            raise CommandError("Give only the key's first 12 characters: a whole key should not be on a command line.")
        rows = list(ApiKey.objects.select_related("tenant").filter(prefix__startswith=prefix)[:20])
        if len(prefix) < 8 or not rows:
            raise CommandError(f"No API key begins with {prefix}; give at least 8 characters of it.")
        if len(rows) > 1:
            names = ", ".join(sorted(row.prefix for row in rows))
            raise CommandError(f"Several API keys begin with {prefix}: {names}. Give more of it.")
        (row,) = rows
        owner = f"tenant {row.tenant_id}" if row.tenant_id else "admins"
        if row.revoke():
            self.stdout.write(f"Revoked the key {row.prefix}… of {owner}.")
        else:
            self.stdout.write(f"The key {row.prefix}… of {owner} was revoked at {row.revoked_at:%Y-%m-%d %H:%M} UTC.")
