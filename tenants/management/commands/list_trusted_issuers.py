import json
from typing import Any

from django.core.management.base import CommandParser

from tenants.management.base import OperatorCommand, find_tenant
from tenants.models import IssuerKeys, TrustedIssuer


class Command(OperatorCommand):
    help = "List whose tokens are believed, for whom, and when the issuer's keys were last read."
    example = "manage.py list_trusted_issuers --tenant city-a"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", metavar="TENANT", help="Only this tenant's.")
        parser.add_argument("--json", action="store_true", help="One JSON array instead of sentences.")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = TrustedIssuer.objects.all()
        if options["tenant"]:
            rows = rows.filter(tenant=find_tenant(options["tenant"]))
        read = {row.issuer: row for row in IssuerKeys.objects.all()}
        if options["json"]:
            self.stdout.write(json.dumps([_told(row, read.get(row.issuer)) for row in rows], indent=2))
            return
        if not rows:
            self.stdout.write("No issuer is trusted; `manage.py trust_issuer` says whom to believe.")
        for row in rows:
            self.stdout.write(
                f"{row.pk}  {row.tenant_id}  {row.purpose}, {row.role}: {row.issuer} for {row.audience}, "
                f"{json.dumps(row.claims)}"
            )
            if kept := read.get(row.issuer):
                when = f"{kept.fetched_at:%Y-%m-%d %H:%M} UTC" if kept.fetched_at else "never"
                self.stdout.write(f"    {len(kept.keys)} key(s), read {when}. {kept.problem}".rstrip())


def _told(row: TrustedIssuer, kept: IssuerKeys | None) -> dict[str, Any]:
    return {
        "number": row.pk,
        "tenant_id": row.tenant_id,
        "purpose": row.purpose,
        "issuer": row.issuer,
        "audience": row.audience,
        "claims": row.claims,
        "role": row.role,
        "last_used_at": row.last_used_at.isoformat() if row.last_used_at else None,
        "keys_read_at": kept.fetched_at.isoformat() if kept and kept.fetched_at else None,
        "problem": kept.problem if kept else "",
    }
