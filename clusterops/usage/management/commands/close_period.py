"""`manage.py close_period`: the statements of a month that is over."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from clusterops.usage.ledger import period_of
from clusterops.usage.management.base import month
from clusterops.usage.statements import TooEarly, Unposted, close
from tenants.management.base import OperatorCommand


class Command(OperatorCommand):
    help = "Close a month, 48 hours after its end: its statements never change. The reconciler does so by itself."
    example = "manage.py close_period 2026-10"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("period", metavar="YYYY-MM")

    def handle(self, *args: Any, period: str, **options: Any) -> None:
        name = period_of(month(period).since)
        try:
            written = close(name)
        except (TooEarly, Unposted) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{name} is closed; {written} statement(s) written.")
