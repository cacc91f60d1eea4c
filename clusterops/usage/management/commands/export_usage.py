"""`manage.py export_usage`: a month's ledger for other programs."""

import csv
import json
from typing import Any

from django.core.management.base import CommandParser

from clusterops.usage.ledger import LedgerEntry, period_of
from clusterops.usage.management.base import month
from tenants.management.base import OperatorCommand, find_tenant

COLUMNS = (
    *("id", "tenant_name", "period", "day", "source", "item", "quantity", "price", "amount", "currency"),
    *("job_id", "corrects_id", "reason", "actor", "posted_at"),
)
CHUNK = 2000


class Command(OperatorCommand):
    help = "Write a month's ledger entries, one a line, to the standard output. Quantities are in whole base units."
    example = "manage.py export_usage --month 2026-11 --tenant city-a > ledger.csv"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--month", default="", metavar="YYYY-MM", help="default: this month, as far as it goes")
        parser.add_argument("--tenant", default="", help="Only this one's.")
        parser.add_argument("--format", choices=["csv", "jsonl"], default="csv")

    def handle(self, *args: Any, **options: Any) -> None:
        entries = LedgerEntry.objects.filter(period=period_of(month(options["month"]).since)).order_by("id")
        if options["tenant"]:
            entries = entries.filter(tenant_name=find_tenant(options["tenant"]).pk)
        rows = entries.values_list(*COLUMNS).iterator(chunk_size=CHUNK)
        if options["format"] == "jsonl":
            for row in rows:
                self.stdout.write(json.dumps(dict(zip(COLUMNS, row, strict=True)), default=str))
            return
        out = csv.writer(self.stdout, lineterminator="\n")
        out.writerow(COLUMNS)
        out.writerows(["" if value is None else value for value in row] for row in rows)
