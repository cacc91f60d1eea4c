"""`manage.py doctor`: is this installation well, and if not, what to do."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from clusterops.errors import GatewayError
from clusterops.install import doctor
from clusterops.install.cluster_check import Finding, Verdict, check
from clusterops.management.operator import add_kubeconfig_argument, named_cluster, operator_api
from tenants.management.base import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Look at everything: what needs somebody, database, storage, clocks, the cluster and this identity's "
        "permissions; one line each, with what to do. Exit code 1 if something is broken."
    )
    example = "kubectl -n sumok8 exec deploy/sumok8-reconciler -- python manage.py doctor"
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_kubeconfig_argument(parser)
        parser.add_argument(
            "--identity", choices=["web", "reconciler"], default="reconciler", help="whose permissions (reconciler)"
        )

    def handle(self, **options: Any) -> None:
        broken = 0
        for finding in self._findings(options):
            broken += finding.verdict is Verdict.MISSING
            word = "BROKEN" if finding.verdict is Verdict.MISSING else finding.verdict.value
            self.stdout.write(f"{word:<7} {finding.subject:<44} {finding.text}")
        if broken:
            raise CommandError(f"{broken} thing(s) are broken: see the lines above.")
        self.stdout.write("All is well.")

    def _findings(self, options: dict[str, Any]) -> Iterator[Finding]:
        answers = True
        for finding in doctor.database():
            answers = answers and (finding.subject != "database" or finding.verdict is not Verdict.MISSING)
            yield finding
        if answers:
            try:
                yield from doctor.attention()
            except DatabaseError as error:
                yield Finding(Verdict.MISSING, "attention", f"its rows cannot be read: {error}".strip())
        yield from doctor.storage()
        try:
            own = named_cluster(options)
            api = operator_api(options, own)
            yield doctor.cluster_clock(api)
            yield from check(api, options["identity"], own)
        except GatewayError as error:
            yield Finding(Verdict.MISSING, "cluster", str(error))
