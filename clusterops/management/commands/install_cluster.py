"""Apply the manifests of deploy/ with the Kubernetes client: the same objects as `kubectl apply -k`."""

import sys
from pathlib import Path
from typing import Any

import yaml
from django.core.management.base import CommandError, CommandParser

from clusterops.errors import GatewayError
from clusterops.install import installer
from clusterops.management.operator import add_cluster_arguments, operator_api
from tenants.management.base import OperatorCommand


class Command(OperatorCommand):
    help = "Install or upgrade the control plane with an operator's identity: what kubectl apply -k would apply."
    example = "manage.py install_cluster --overlay local"
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_cluster_arguments(parser)
        parser.add_argument("--image", default="", help="controller image, instead of the overlay's")
        parser.add_argument("--runner-image", default="", help="runner image, instead of the overlay's")
        parser.add_argument(
            "--database-url-file", help="file with postgresql://…, for the Secret of a first installation; - is stdin"
        )
        parser.add_argument(
            "--dry-run",
            choices=["print", "server"],
            default="",
            help="print: show the manifests; server: let the API server check them; both change nothing",
        )
        parser.add_argument(
            "--runs-only",
            action="store_true",
            help="of a further cluster, which only runs jobs: its Namespace, identities and roles, and nothing else",
        )
        parser.add_argument("--timeout", type=float, default=600, help="seconds to wait until all is ready (600)")

    def handle(self, **options: Any) -> None:
        try:
            objects = installer.load(
                installer.overlay_folder(options["overlay"]),
                namespace=options["namespace"],
                image=options["image"],
                runner_image=options["runner_image"],
            )
            if options["runs_only"]:
                objects = installer.runs_only(objects)
            if options["dry_run"] == "print":
                self.stdout.write(yaml.safe_dump_all(objects, sort_keys=False))
                return
            self._install(objects, options)
        except (installer.InstallError, GatewayError, OSError) as error:
            raise CommandError(str(error)) from error

    def _install(self, objects: list[dict[str, Any]], options: dict[str, Any]) -> None:
        api = operator_api(options)
        if options["runs_only"]:
            for step in installer.apply_all(api, objects, dry_run=options["dry_run"]):
                self.stdout.write(f"{step.subject:<55} {step.state}")
            home = installer.namespace_of(objects)
            self.stdout.write(
                "Nothing was changed."
                if options["dry_run"]
                else f"Ready to run jobs. Its kubeconfig files want tokens of the ServiceAccounts sumok8-web and "
                f"sumok8-reconciler in {home}; see docs/clusters.md."
            )
            return
        source = options["database_url_file"]
        database_url = "" if not source else sys.stdin.read() if source == "-" else Path(source).read_text()
        steps = installer.install(api, objects, database_url=database_url.strip(), dry_run=options["dry_run"])
        for step in steps:
            self.stdout.write(f"{step.subject:<55} {step.state}")
        if options["dry_run"]:
            self.stdout.write("Nothing was changed.")
            return
        for step in installer.wait_ready(api, objects, timeout_s=options["timeout"]):
            self.stdout.write(f"{step.subject:<55} {step.state}")
        namespace = installer.namespace_of(objects)
        self.stdout.write(f"Installed in {namespace}. To look: kubectl -n {namespace} port-forward svc/sumok8-web 8000")
