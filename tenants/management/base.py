"""What the operators' commands share."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants.clusters import Cluster
from tenants.limits import Limit, field_of
from tenants.models import Plan, Tenant


class OperatorCommand(BaseCommand):
    """A command whose `--help` ends with an example."""

    example: str

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, epilog=f"Example: {self.example}", **kwargs)


def add_limit_arguments(parser: CommandParser, whose: str = "New tenants") -> None:
    """`--max-cpu` and its like; a limit that is not given is None."""
    for name in Tenant.LIMITS:
        field = field_of(name)
        flag = f"--{name.replace('_', '-')}"
        says = field.help_text if field.null else f"{field.help_text} {whose}: {field.default}."
        if field.choices:
            parser.add_argument(flag, choices=[value for value, _ in field.choices], help=says)
        else:
            parser.add_argument(flag, type=int, metavar="N", help=says)


def given_limits(options: dict[str, Any]) -> dict[str, Limit]:
    """The limits that the operator named."""
    return {name: options[name] for name in Tenant.LIMITS if options[name] is not None}


def find_tenant(tenant_id: str, *, lock: bool = False) -> Tenant:
    """`lock`: until the transaction ends nobody else changes it. Raises CommandError with the way on."""
    tenants = Tenant.objects.select_for_update(no_key=True) if lock else Tenant.objects.all()
    try:
        return tenants.get(tenant_id=tenant_id)
    except Tenant.DoesNotExist:
        raise CommandError(f"There is no tenant {tenant_id}; `manage.py list_tenants` names them.") from None


def find_cluster(name: str) -> Cluster:
    """Raises CommandError with the way on."""
    try:
        return Cluster.objects.get(name=name)
    except Cluster.DoesNotExist:
        names = ", ".join(Cluster.objects.values_list("name", flat=True))
        raise CommandError(f"There is no cluster {name}, but {names}; clusters are made in the admin.") from None


def find_plan(name: str) -> Plan:
    """Raises CommandError with the way on."""
    try:
        return Plan.objects.get(name=name)
    except Plan.DoesNotExist:
        raise CommandError(f"There is no plan {name}; `manage.py create_plan` makes one.") from None


def refuse(error: ValidationError) -> CommandError:
    """The same problems as one sentence after another, each with its option or field."""
    problems: Iterable[tuple[str, list[str]]] = (
        error.message_dict.items() if hasattr(error, "error_dict") else [("__all__", error.messages)]
    )
    lines = [message if field == "__all__" else f"{field}: {message}" for field, found in problems for message in found]
    return CommandError("\n".join(lines))
