"""Follow a job in the terminal."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from client import ApiProblem
from client.text import results_table, show
from simulations.management.commands import _api


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
        try:
            job = client.job(options["job_id"])
            if options["log"]:
                for line in job.follow_log():
                    self.stdout.write(line)
                job.refresh()
            else:
                show(job.watch(), self.stdout)
            self.stdout.write(f"{job.status}. {job.message}")
            self.stdout.write(results_table(job.kpis))
        except ApiProblem as problem:
            raise CommandError(str(problem)) from None
        if not job.succeeded:
            raise CommandError(f"The job ended {job.status}.")
