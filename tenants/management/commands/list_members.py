import json
from typing import Any

from django.core.management.base import CommandParser

from tenants.management.base import OperatorCommand, find_tenant
from tenants.members import Member


class Command(OperatorCommand):
    help = "List the people of all tenants, or of one."
    example = "manage.py list_members --tenant city-a"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", metavar="TENANT", help="Only this tenant's.")
        parser.add_argument("--json", action="store_true", help="One JSON array instead of a table.")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = Member.objects.select_related("user").order_by("tenant_id", "user__username")
        if options["tenant"]:
            rows = rows.filter(tenant=find_tenant(options["tenant"]))
        if options["json"]:
            found = [{"tenant_id": row.tenant_id, "username": row.user.username, "role": row.role} for row in rows]
            self.stdout.write(json.dumps(found, indent=2))
            return
        if not rows:
            self.stdout.write("There are no members; `manage.py add_member TENANT NAME` makes one.")
        for row in rows:
            seen = f"{row.user.last_login:%Y-%m-%d %H:%M}" if row.user.last_login else "never"
            self.stdout.write(f"{row.tenant_id:<41}{row.role:<10}{row.user.username:<32}signed in {seen}")
