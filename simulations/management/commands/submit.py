"""Submit a job through the REST API."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from client import ApiProblem
from client.text import results_table, show
from simulations.management.commands import _api


class Command(BaseCommand):
    help = (
        "Submit a simulation and, with --watch, follow it to its results. "
        "Example: manage.py submit midtown_peak --cpu 1 --memory-gi 1 --key-file city-a.key --watch"
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        _api.add_arguments(parser)
        parser.add_argument("scenario_id")
        parser.add_argument("--cpu", type=int, default=1, help="CPUs (default: %(default)s)")
        parser.add_argument("--memory-gi", type=int, default=1, help="Gi of memory (default: %(default)s)")
        parser.add_argument("--body", default="{}", help="more fields of POST /jobs as JSON, e.g. '{\"seed\": 7}'")
        parser.add_argument("--watch", action="store_true", help="show progress and results")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            extra = json.loads(options["body"])
        except ValueError as error:
            raise CommandError(f"--body is not JSON: {error}") from None
        if not isinstance(extra, dict):
            raise CommandError("--body must be a JSON object.")
        body = {"cpu_request": options["cpu"], "memory_gi": options["memory_gi"], **extra}
        body["scenario_id"] = options["scenario_id"]
        client = _api.client(options)
        try:
            job = client.run(**body)
            self.stdout.write(f"Job {job.id} is {job.status}.")
            if not options["watch"]:
                return
            show(job.watch(), self.stdout)
            self.stdout.write(results_table(job.kpis))
        except ApiProblem as problem:
            raise CommandError(str(problem)) from None
        if not job.succeeded:
            raise CommandError(f"The job ended {job.status}: {job.message}")
