"""Follow a job in the terminal."""

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from simulations.client import ApiProblem
from simulations.management.commands import _api
from simulations.progress import results_table, show


class Command(BaseCommand):
    help = (
        "Show a job's progress bar until it ends, then its traffic results. "
        "Example: manage.py watch_job 4f1c… --key-file city-a.key"
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        _api.add_arguments(parser)
        parser.add_argument("job_id")
        parser.add_argument("--log", action="store_true", help="follow its log instead of its progress")

    def handle(self, *args: Any, **options: Any) -> None:
        client = _api.client(options)
        job: Mapping[str, Any]
        try:
            if options["log"]:
                for line in client.follow_log(options["job_id"]):
                    self.stdout.write(line)
                job = client.get(f"/jobs/{options['job_id']}")
            else:
                job = show(client.watch(options["job_id"]), self.stdout)
            self.stdout.write(f"{job['status']}. {job['message']}")
            self.stdout.write(results_table(client.get(f"/jobs/{job['job_id']}/results")))
        except ApiProblem as problem:
            raise CommandError(str(problem)) from None
        if job["status"] != "SUCCEEDED":
            raise CommandError(f"The job ended {job['status']}.")
