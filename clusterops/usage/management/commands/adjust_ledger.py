"""`manage.py adjust_ledger`: put right what was charged wrongly."""

import getpass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from clusterops.usage.adjusting import correct, credit
from clusterops.usage.ledger import SIXTH, LedgerEntry
from tenants.management.base import OperatorCommand, find_tenant, refuse

MAX_KEY = 60  # so that it fits into an entry's source


class Command(OperatorCommand):
    help = (
        "Correct the ledger: an entry by its reversal (and, with --quantity, a new row in its place), or a tenant by "
        "an amount. Nothing is changed in place; it comes into the first month that is open."
    )
    example = 'manage.py adjust_ledger --entry 1234 --quantity 3600 --reason "counted twice"'

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--entry", type=int, metavar="ID", help="Of the ledger entry that is wrong.")
        what.add_argument("--tenant", help="Whom --amount is for.")
        parser.add_argument("--quantity", type=int, help="What is right, as the ledger counts; default: nothing.")
        parser.add_argument("--amount", help="To charge; below 0 to give back, as --amount=-10.")
        parser.add_argument("--key", help="With --amount, such as a ticket's number: the same again changes nothing.")
        parser.add_argument("--reason", required=True, help="Kept with the entry.")
        parser.add_argument("--actor", default="", help="Who decided it; default: the user of this terminal.")

    def handle(self, *args: Any, **options: Any) -> None:
        signed = {"reason": options["reason"], "actor": options["actor"] or f"{getpass.getuser()} (manage.py)"}
        try:
            if options["entry"] is not None:
                rows = correct(options["entry"], quantity=options["quantity"], **signed)
            else:
                rows = [self._credit(options, signed)]
        except ValidationError as error:
            raise refuse(error) from error
        for row in rows:
            self.stdout.write(_shown(row))

    def _credit(self, options: dict[str, Any], signed: dict[str, str]) -> LedgerEntry:
        if not options["amount"] or not options["key"]:
            raise CommandError("--tenant needs --amount and --key.")
        if len(options["key"]) > MAX_KEY:
            raise CommandError(f"--key has at most {MAX_KEY} characters.")
        try:
            amount = Decimal(options["amount"])
            if not amount.is_finite() or abs(amount) >= Decimal(10) ** 12:
                raise InvalidOperation
        except InvalidOperation:
            raise CommandError(f"{options['amount'][:40]!r} is no amount; write for example --amount=-10.") from None
        return credit(find_tenant(options["tenant"]), amount.quantize(SIXTH), key=options["key"], **signed)


def _shown(row: LedgerEntry) -> str:
    amount = "no amount" if row.amount is None else f"{row.amount} {row.currency}"
    return f"{row.pk} {row.tenant_name} {row.source} {row.item} {row.quantity} {amount}, in {row.period}"
