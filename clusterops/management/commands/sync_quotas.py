from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from clusterops.contract import NamespaceState
from clusterops.errors import GatewayError
from clusterops.gateway import Gateway
from clusterops.management.operator import add_kubeconfig_argument, meant_cluster, operator_api
from clusterops.reconciler import namespaces
from clusterops.reconciler.pass_state import Memory, Pass
from tenants.management.base import OperatorCommand, find_tenant
from tenants.models import Tenant


def _done(tenant: Tenant, before: NamespaceState | None) -> str:
    if before is None:
        return f"namespace {tenant.namespace} was made, and its quota is in force"
    if before.as_wanted:
        return f"namespace {tenant.namespace} and its quota are in force, unchanged"
    return f"namespace {tenant.namespace} was not as the limits ask and is repaired; its quota is in force"


class Command(OperatorCommand):
    help = (
        "Make every tenant's namespace, quota and network policy in its cluster as its limits ask. The reconciler does "
        "so by itself; this is for a new cluster, or to see at once what is wrong. Repeating is safe."
    )
    example = "manage.py sync_quotas --tenant city-a"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", metavar="TENANT", help="Only this one; default: all active tenants.")
        add_kubeconfig_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        own = meant_cluster(options)
        tenants = list(Tenant.objects.filter(is_active=True, cluster=own))
        if options["tenant"]:
            tenants = [find_tenant(options["tenant"])]
            own = tenants[0].cluster
        failed = 0
        try:
            this_pass = Pass(Gateway(operator_api(options, own), own.label), Memory(), timezone.now(), cluster=own)
            found = this_pass.gateway.inspect_namespaces(namespaces.spec_of(tenant, own) for tenant in tenants)
            for tenant in tenants:
                problem = namespaces.ensure(this_pass, tenant)
                failed += bool(problem)
                self.stdout.write(f"{tenant}: {problem or _done(tenant, found.get(tenant.namespace))}")
        except GatewayError as error:
            raise CommandError(f"The cluster does not answer: {error}") from error
        if failed:
            raise CommandError(f"{failed} of {len(tenants)} tenant(s) could not be prepared; each says why above.")
        self.stdout.write(f"{len(tenants)} tenant(s) are as their limits ask.")
