from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from tenants.management.base import OperatorCommand, add_limit_arguments, given_limits, refuse
from tenants.models import Plan, PlanPrice
from tenants.plans import Item, billing_today


class Command(OperatorCommand):
    help = "Make a plan, or change the limits and add prices of one that exists; its tenants follow. Repeating is safe."
    example = "manage.py create_plan standard --max-cpu 20 --price cpu_hour=0.05 --price gib_hour=0.006"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="1 to 40 lower-case letters, digits and hyphens.")
        parser.add_argument("--description", default=None)
        add_limit_arguments(parser, "New plans")
        parser.add_argument(
            "--price",
            action="append",
            default=[],
            metavar="ITEM=AMOUNT",
            help=f"In BILLING_CURRENCY; items: {', '.join(Item.values)}. Supersedes what there is.",
        )
        parser.add_argument(
            "--since", type=_day, default=None, metavar="YYYY-MM-DD", help="For prices; default: today."
        )
        parser.add_argument("--dry-run", action="store_true", help="Only list whose limits would change.")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        plan = Plan.objects.filter(name=options["name"]).first()
        is_new = plan is None
        plan = plan or Plan(name=options["name"])
        for name, value in given_limits(options).items():
            setattr(plan, name, value)
        if options["description"] is not None:
            plan.description = options["description"]
        try:
            plan.full_clean()
            affected = [] if is_new else plan.affected()
            for tenant, changed in affected:
                said = ", ".join(f"{name} {old} → {new}" for name, (old, new) in changed.items())
                self.stdout.write(f"{tenant}: {said}")
            if options["dry_run"]:
                self.stdout.write(f"{len(affected)} tenant(s) would change; nothing was written.")
                return
            plan.save()
            plan.hand_down()
            prices = [_price(plan, text, options["since"] or billing_today()) for text in options["price"]]
        except ValidationError as error:
            raise refuse(error) from error
        said = f", {len(prices)} price(s) set" if prices else ""
        self.stdout.write(f"{'Made' if is_new else 'Changed'} plan {plan}{said}; {len(affected)} tenant(s) follow.")


def _price(plan: Plan, text: str, since: date) -> PlanPrice:
    """The row; the one there is if it says the same already."""
    item, _, amount = text.partition("=")
    if item not in Item.values:
        raise CommandError(f"Prices are for {', '.join(Item.values)}; {item[:40]!r} is none of them.")
    try:
        price = Decimal(amount)
    except InvalidOperation:
        raise CommandError(f"{amount[:40]!r} is no amount; write for example {item}=0.05.") from None
    latest = PlanPrice.objects.filter(plan=plan, item=item, since__lte=since).order_by("-since", "-id").first()
    if latest and latest.price == price:
        return latest
    row = PlanPrice(plan=plan, item=item, price=price, since=since)
    row.full_clean()
    row.save()
    return row


def _day(text: str) -> date:
    return date.fromisoformat(text)
