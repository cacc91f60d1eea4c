"""What came of a job: its timeline, its log, its result files."""

from django.db import models
from django.utils import timezone

from simulations.models.job import Job


class JobEvent(models.Model):
    """One line of a job's timeline. The first line, its submission, is the job's own `submitted_at`."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="events")
    at = models.DateTimeField(default=timezone.now)
    status = models.CharField(max_length=10)
    reason = models.CharField(max_length=24)
    message = models.TextField()
    attempt = models.PositiveSmallIntegerField(default=1)

    class Meta:
        db_table = "job_events"
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S} {self.reason}"


class JobLog(models.Model):
    """The tail of a job's log, kept apart so that lists of jobs stay narrow."""

    job = models.OneToOneField(Job, models.CASCADE, primary_key=True, related_name="log")
    text = models.TextField()
    captured_at = models.DateTimeField(default=timezone.now)
    is_final = models.BooleanField(default=False, help_text="Captured after the run's end.")

    class Meta:
        db_table = "job_logs"


class Artifact(models.Model):
    """A result file: written at most once per job, attempt and name."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="artifacts")
    attempt = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=255)
    file = models.FileField(max_length=400)
    size_bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    uploaded_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "artifacts"
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["job", "attempt", "name"], name="artifacts_unique_name")]

    def __str__(self) -> str:
        return self.name
