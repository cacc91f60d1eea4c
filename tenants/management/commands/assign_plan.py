import getpass
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from tenants.management.base import OperatorCommand, find_plan, find_tenant, refuse
from tenants.models import Tenant
from tenants.services import assign_plan

NONE = "none"


class Command(OperatorCommand):
    help = (
        "Give a tenant a plan, now or from a day on. Its limits follow the plan but for those kept. Running jobs stay."
    )
    example = "manage.py assign_plan city-a standard --since 2027-01-01 --keep max_cpu"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant_id")
        parser.add_argument("plan", help=f"A plan's name, or `{NONE}`: its figures stay, as its own.")
        parser.add_argument("--since", type=date.fromisoformat, default=None, metavar="YYYY-MM-DD")
        parser.add_argument(
            "--keep",
            nargs="*",
            default=None,
            choices=Tenant.LIMITS,
            metavar="LIMIT",
            help="Limits that stay its own; without a name, all those that differ from the plan's.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = find_tenant(options["tenant_id"])
        plan = None if options["plan"] == NONE else find_plan(options["plan"])
        keeps: list[str] = options["keep"] or []
        if plan and options["keep"] == []:
            keeps = [name for name in Tenant.LIMITS if getattr(tenant, name) != getattr(plan, name)]
        if not plan and keeps:
            raise CommandError("Without a plan all limits are its own; leave --keep out.")
        try:
            made = assign_plan(
                tenant=tenant, plan=plan, since=options["since"], keeps=keeps, by=f"{getpass.getuser()} (manage.py)"
            )
        except ValidationError as error:
            raise refuse(error) from error
        tenant.refresh_from_db()
        if not made.is_applied:
            self.stdout.write(f"{made}; until then everything stays as it is.")
            return
        limits = ", ".join(f"{name} {value} ({tenant.sources[name]})" for name, value in tenant.limits.items())
        self.stdout.write(f"{made}: {limits}")
