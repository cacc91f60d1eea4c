import json
from typing import Any

from django.core.management.base import CommandParser
from django.db.models import Prefetch

from tenants.management.base import OperatorCommand
from tenants.models import ApiKey, Tenant


class Command(OperatorCommand):
    help = "List tenants with their limits; with --keys their API keys too (never the keys themselves)."
    example = "manage.py list_tenants --keys"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--keys", action="store_true", help="Also list API keys, and those of admins.")
        parser.add_argument("--json", action="store_true", help="One JSON array instead of a table.")

    def handle(self, *args: Any, **options: Any) -> None:
        keys = Prefetch("api_keys", queryset=ApiKey.objects.shown().order_by("created_at"))
        tenants = list(Tenant.objects.select_related("plan").prefetch_related(keys))
        if options["json"]:
            self.stdout.write(json.dumps([self._as_json(tenant) for tenant in tenants], indent=2))
            return
        if not tenants:
            self.stdout.write("There are no tenants; `manage.py create_tenant NAME` makes one.")
        else:
            self.stdout.write(f"{'TENANT':<41}{'CPU':>6}{'MEM Gi':>8}{'JOBS':>6}{'QUEUE':>7}  {'PLAN':<12}STATE")
        for tenant in tenants:
            limits = f"{tenant.max_cpu:>6}{tenant.max_memory_gi:>8}{tenant.max_concurrent_jobs:>6}"
            plan = tenant.plan.name if tenant.plan else "-"
            self.stdout.write(f"{tenant.tenant_id:<41}{limits}{tenant.max_queued_jobs:>7}  {plan:<12}{_state(tenant)}")
            if options["keys"]:
                self._write_keys(list(tenant.api_keys.all()))
        if options["keys"] and (admins := list(ApiKey.objects.filter(tenant=None).order_by("created_at"))):
            self.stdout.write("admins")
            self._write_keys(admins)

    def _write_keys(self, keys: list[ApiKey]) -> None:
        for key in keys:
            used = f"used {key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never used"
            self.stdout.write(f"  {key.prefix}…  {key.state:<8} {key.role:<8} {used}  {key.label}".rstrip())

    def _as_json(self, tenant: Tenant) -> dict[str, Any]:
        return {
            "tenant_id": tenant.tenant_id,
            "namespace": tenant.namespace,
            "plan": str(tenant.plan) if tenant.plan else None,
            **tenant.limits,
            "own_limits": tenant.own_limits,
            "is_active": tenant.is_active,
            "submissions_paused": tenant.submissions_paused,
            "created_at": tenant.created_at.isoformat(),
            "api_keys": [
                {"prefix": key.prefix, "label": key.label, "role": key.role, "state": key.state}
                for key in tenant.api_keys.all()
            ],
        }


def _state(tenant: Tenant) -> str:
    if not tenant.is_active:
        return "inactive"
    return "submissions paused" if tenant.submissions_paused else "active"
