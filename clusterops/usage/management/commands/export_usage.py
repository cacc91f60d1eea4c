"""`manage.py export_usage`: a month's ledger for other programs."""

import csv
import json
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandParser
from django.db.models import QuerySet

from clusterops.usage.ledger import LedgerEntry, period_of
from clusterops.usage.management.base import month
from tenants.database import slow_statements_allowed
from tenants.management.base import OperatorCommand, find_tenant

COLUMNS = (
    *("id", "tenant_name", "generation", "period", "day", "source", "item", "quantity", "price", "amount", "currency"),
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
        with slow_statements_allowed():
            self._write(_pages(entries), as_lines=options["format"] == "jsonl")

    def _write(self, rows: Iterator[tuple[Any, ...]], *, as_lines: bool) -> None:
        if as_lines:
            for row in rows:
                self.stdout.write(json.dumps(dict(zip(COLUMNS, row, strict=True)), default=str))
            return
        out = csv.writer(self.stdout, lineterminator="\n")
        out.writerow(COLUMNS)
        out.writerows(["" if value is None else value for value in row] for row in rows)


def _pages(entries: QuerySet[LedgerEntry]) -> Iterator[tuple[Any, ...]]:
    """Page by page: behind a pooler there are no cursors of the server's, and a month may be long."""
    last = 0
    while page := list(entries.filter(id__gt=last).values_list(*COLUMNS)[:CHUNK]):
        yield from page
        last = page[-1][0]
