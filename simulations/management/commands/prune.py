from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from simulations.models.counts import mend_counts as mend_job_counts
from simulations.services import storage
from simulations.services.retention import prune
from tenants.accounts.tidying import tidy
from tenants.management.base import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Delete result files and logs of jobs that ended, and scenario versions that were superseded, more than N days "
        "ago, and files in storage that no row names. Jobs, timelines and KPIs stay, unless JOB_RETENTION_DAYS says "
        "for how long. Mends the tenants' counts of jobs and storage. Safe while everything runs."
    )
    example = "manage.py prune --days 90 --dry-run"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, required=True, metavar="N", help="Keep what is younger than N days.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would go, delete nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        days, dry_run = options["days"], options["dry_run"]
        if not 1 <= days <= 36500:
            raise CommandError("--days: a whole number from 1 to 36500.")
        now = timezone.now()
        jobs_before = now - timedelta(days=settings.JOB_RETENTION_DAYS) if settings.JOB_RETENTION_DAYS else None
        gone = prune(before=now - timedelta(days=days), jobs_before=jobs_before, dry_run=dry_run)
        sessions, invitations = tidy(dry_run=dry_run)
        size = storage.size(gone.result_bytes)
        self.stdout.write(
            f"{'Would delete' if dry_run else 'Deleted'} {gone.results} result file(s) ({size}), {gone.logs} log(s), "
            f"{gone.jobs} job(s), {gone.scenario_versions} scenario version(s), "
            f"{gone.orphaned_files} orphaned file(s), {sessions} ended session(s), {invitations} old invitation(s)."
        )
        if not dry_run and (wrong := mend_job_counts()):
            self.stdout.write(f"Mended the job counts of {len(wrong)} tenant(s): {', '.join(wrong[:10])}.")
        if not dry_run and (mended := storage.mend_counts()):
            self.stdout.write(f"Mended the storage count of {len(mended)} tenant(s): {', '.join(mended[:10])}.")
