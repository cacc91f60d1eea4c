import json
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from tenants.management.base import OperatorCommand, find_tenant
from tenants.members import Role
from tenants.models import ApiKey


class Command(OperatorCommand):
    help = "Make another API key, which is printed once. Keys made before stay as they are."
    example = "manage.py create_api_key --tenant city-a --label ci --expires-days 90"

    def add_arguments(self, parser: CommandParser) -> None:
        owner = parser.add_mutually_exclusive_group(required=True)
        owner.add_argument("--tenant", metavar="TENANT", help="The tenant that the key belongs to.")
        owner.add_argument("--admin", action="store_true", help="A key for the admin endpoints, of no tenant.")
        parser.add_argument("--label", default="", help="What the key is for; up to 100 characters.")
        parser.add_argument("--role", choices=Role.values, help="What it may do for its tenant (default: owner).")
        parser.add_argument("--expires-days", type=int, metavar="DAYS", help="Default: it does not expire.")
        parser.add_argument("--json", action="store_true", help="One JSON object instead of sentences.")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = find_tenant(options["tenant"]) if options["tenant"] else None
        days, label = options["expires_days"], options["label"]
        if days is not None and not 1 <= days <= 36500:
            raise CommandError("--expires-days: a whole number from 1 to 36500.")
        if len(label) > 100 or not label.isprintable():
            raise CommandError("--label: one line of at most 100 printable characters.")
        if options["admin"] and options["role"]:
            raise CommandError("--role is for a tenant's key; an admin's has no role.")
        expires_at = timezone.now() + timedelta(days=days) if days else None
        role = Role(options["role"] or Role.OWNER)
        row, key = ApiKey.objects.issue(tenant=tenant, label=label, expires_at=expires_at, role=role)
        if options["json"]:
            self.stdout.write(
                json.dumps(
                    {
                        "tenant_id": row.tenant_id,
                        "scope": row.scope,
                        "label": row.label,
                        "role": row.role,
                        "expires_at": expires_at.isoformat() if expires_at else None,
                        "api_key": key,
                    }
                )
            )
            return
        owner = f"tenant {tenant}" if tenant else "admins"
        usable = ApiKey.objects.usable().filter(tenant=tenant).count()
        until = f"expires {expires_at:%Y-%m-%d %H:%M} UTC" if expires_at else "does not expire"
        self.stdout.write(f"Made a key for {owner}; it {until}. Usable keys now: {usable}.")
        if tenant and not tenant.is_active:
            self.stdout.write(f"Tenant {tenant} is inactive: the key is refused until it is active again.")
        self.stdout.write(f"API key (shown only now): {key}")
