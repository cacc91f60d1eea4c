import json
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from tenants.management.base import OperatorCommand, add_limit_arguments, find_cluster, given_limits, refuse
from tenants.services import TenantFound, create_tenant


class Command(OperatorCommand):
    help = "Make a tenant and its first API key, which is printed once. Repeating it changes nothing."
    example = "manage.py create_tenant city-a --max-cpu 20 --max-memory-gi 64 --max-concurrent-jobs 5"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant_id", help="1 to 40 lower-case letters, digits and hyphens.")
        parser.add_argument("--namespace", default="", help="Kubernetes namespace; default: the tenant's name.")
        parser.add_argument("--cluster", default="", metavar="NAME", help="Its home; default: the first cluster.")
        add_limit_arguments(parser)
        parser.add_argument("--no-key", action="store_true", help="Make no API key.")
        parser.add_argument("--json", action="store_true", help="One JSON object instead of sentences.")

    def handle(self, *args: Any, **options: Any) -> None:
        asked = given_limits(options)
        try:
            found = create_tenant(
                tenant_id=options["tenant_id"],
                namespace=options["namespace"],
                limits=asked,
                cluster=find_cluster(options["cluster"]) if options["cluster"] else None,
                with_key=not options["no_key"],
            )
        except ValidationError as error:
            raise refuse(error) from error
        if not found.created:
            self._compare(found, asked | ({"namespace": options["namespace"]} if options["namespace"] else {}))
        if options["json"]:
            self.stdout.write(json.dumps(self._as_json(found)))
            return
        tenant = found.tenant
        limits = ", ".join(f"{name} {value}" for name, value in tenant.limits.items() if value is not None)
        if not found.created:
            usable = tenant.api_keys.usable().count()
            self.stdout.write(
                f"Tenant {tenant} exists since {tenant.created_at:%Y-%m-%d %H:%M} UTC with {limits} and "
                f"{usable} usable key(s). Nothing was changed; "
                f"`manage.py create_api_key --tenant {tenant}` makes another key."
            )
            return
        self.stdout.write(f"Made tenant {tenant} in namespace {tenant.namespace} with {limits}.")
        if found.key:
            self.stdout.write(f"API key (shown only now): {found.key}")

    def _compare(self, found: TenantFound, asked: dict[str, Any]) -> None:
        differs = [
            f"{name} is {getattr(found.tenant, name)}, not {value}"
            for name, value in asked.items()
            if getattr(found.tenant, name) != value
        ]
        if differs:
            raise CommandError(
                f"Tenant {found.tenant} exists, and {'; '.join(differs)}. Nothing was changed; "
                f"`manage.py set_limits {found.tenant}` changes limits."
            )

    def _as_json(self, found: TenantFound) -> dict[str, Any]:
        tenant = found.tenant
        return {
            "tenant_id": tenant.tenant_id,
            "namespace": tenant.namespace,
            **tenant.limits,
            "created": found.created,
            "api_key": found.key,
        }
