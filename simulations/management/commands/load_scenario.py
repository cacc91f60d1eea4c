"""Load a scenario without the REST API."""

import hashlib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from simulations.services import add_scenario
from tenants.errors import ApiError
from tenants.models import Tenant


class Command(BaseCommand):
    help = (
        "Check a scenario's zip and keep it, for all tenants or for one; loading the same file again changes nothing. "
        "Example: manage.py load_scenario midtown_peak.zip --shared"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the zip")
        owner = parser.add_mutually_exclusive_group(required=True)
        owner.add_argument("--shared", action="store_true", help="visible to every tenant")
        owner.add_argument("--tenant", help="the tenant it belongs to")
        parser.add_argument("--scenario-id", help="its name (default: the file's)")
        parser.add_argument("--config", help="path of the .sumocfg inside, if there are several")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        tenant = None
        if options["tenant"]:
            tenant = Tenant.objects.filter(pk=options["tenant"]).first()
            if tenant is None:
                raise CommandError(f"There is no tenant “{options['tenant']}”.")
        try:
            with path.open("rb") as content:
                scenario, is_new = add_scenario(
                    tenant=tenant,
                    scenario_id=options["scenario_id"] or path.stem,
                    content=content,
                    size=path.stat().st_size,
                    sha256=hashlib.file_digest(content, "sha256").hexdigest(),
                    config=options["config"],
                )
        except OSError as error:
            raise CommandError(f"The file cannot be read or stored: {error}") from None
        except ApiError as error:
            lines = [error.message, *(f"  - {entry['message']} {entry.get('hint', '')}" for entry in error.details)]
            raise CommandError("\n".join(lines)) from None
        found = "is loaded" if is_new else "was there already"
        self.stdout.write(f"Scenario {scenario.scenario_id} version {scenario.version} {found}.")
