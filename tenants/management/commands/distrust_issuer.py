from typing import Any

from django.core.management.base import CommandError, CommandParser

from tenants.management.base import OperatorCommand, find_tenant
from tenants.models import ApiKey, TrustedIssuer


class Command(OperatorCommand):
    help = "Believe an issuer's tokens no more; keys that were traded for them end at once."
    example = "manage.py distrust_issuer city-a 3"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant")
        parser.add_argument("number", type=int, help="As `list_trusted_issuers` shows it.")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = find_tenant(options["tenant"])
        row = TrustedIssuer.objects.filter(tenant=tenant, pk=options["number"]).first()
        if row is None:
            raise CommandError(f"{tenant} has no such number; `manage.py list_trusted_issuers` names them.")
        usable = ApiKey.objects.usable().filter(trust=row).count()
        row.delete()
        self.stdout.write(f"{tenant} trusts {row.issuer} ({row.purpose}) no more; {usable} usable key(s) ended.")
