"""`manage.py statement`: what a tenant ran in a month."""

import csv
import json
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from clusterops.usage.counting import GROUPINGS, MAX_GROUPS, Counted, Period, groups, total
from clusterops.usage.management.base import month as month_of
from tenants.management.base import OperatorCommand, find_tenant

COLUMNS = ("runs", "seconds", "cpu_seconds", "gib_seconds", "cpu_hours", "gib_hours")


class Command(OperatorCommand):
    help = "Say what a tenant ran in a month, and how much of it is billed. Changes nothing."
    example = "manage.py statement city-a --month 2026-11 --group-by scenario --format csv"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant_id")
        parser.add_argument("--month", default="", metavar="YYYY-MM", help="default: this month, as far as it goes")
        choices = [name for name in GROUPINGS if name not in ("tenant", "label")]
        parser.add_argument("--group-by", choices=choices, default="day")
        parser.add_argument("--format", choices=["text", "csv", "json"], default="text")

    def handle(self, *args: Any, tenant_id: str, month: str, group_by: str, format: str, **options: Any) -> None:
        tenant, period = find_tenant(tenant_id), month_of(month)
        runs = period.runs().filter(tenant=tenant)
        found, more = groups(runs, group_by)
        if more:
            self.stderr.write(f"Only the first {MAX_GROUPS} groups are shown; the total is of all.")
        rows = [*found, Counted("total", *_both(total(runs)))]
        if format == "csv":
            self._write_csv(group_by, rows)
        elif format == "json":
            self.stdout.write(json.dumps([{group_by: row.name, **row.shown} for row in rows], indent=2))
        else:
            self._write_text(tenant_id, period, group_by, rows)

    def _write_csv(self, group_by: str, rows: list[Counted]) -> None:
        out = csv.writer(self.stdout, lineterminator="\n")
        out.writerow([group_by, *COLUMNS, *(f"billable_{name}" for name in COLUMNS)])
        for row in rows:
            shown = row.shown
            out.writerow([row.name, *(shown[which][name] for which in ("all", "billable") for name in COLUMNS)])

    def _write_text(self, tenant_id: str, period: Period, group_by: str, rows: list[Counted]) -> None:
        days = f"{period.since} up to, not including, {period.until} ({settings.BILLING_TIME_ZONE})"
        self.stdout.write(f"{tenant_id}, {days}")
        heads = f"{'RUNS':>7}{'CPU h':>13}{'GiB h':>13}{'BILLED':>9}{'CPU h':>13}{'GiB h':>13}"
        self.stdout.write(f"{group_by.upper():<38}{heads}")
        for row in rows:
            everything, billed = row.shown["all"], row.shown["billable"]
            self.stdout.write(
                f"{row.name or '(none)':<38}{everything['runs']:>7}{everything['cpu_hours']:>13}"
                f"{everything['gib_hours']:>13}{billed['runs']:>9}{billed['cpu_hours']:>13}{billed['gib_hours']:>13}"
            )


def _both(counted: Counted) -> tuple[Any, Any]:
    return counted.all, counted.billable
