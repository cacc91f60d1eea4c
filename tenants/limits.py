"""How much a tenant may have at once and keep: the same figures for a plan and for each of its tenants."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from tenants.priority import PriorityClass

MAX_WEIGHT = 1000
MOST_GIB = 2**20  # a PiB: what is beyond is a typing error
MOST_REQUESTS = 1_000_000
Limit = int | str | None
SHARE = ("weight", "max_priority_class")  # who goes first, rather than how much


class Limits(models.Model):
    """Columns of a limit each. What may be empty is then what the service's settings say."""

    # As forms lay them out. All else that names every limit (commands, plans, GET /tenant) follows.
    ROWS: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("max_cpu", "max_memory_gi"),
        ("max_concurrent_jobs", "max_queued_jobs"),
        SHARE,
        ("max_result_gib", "max_scenario_gib"),
        ("requests_per_minute", "request_burst"),
    )
    LIMITS: ClassVar[tuple[str, ...]] = tuple(name for row in ROWS for name in row)

    max_cpu = models.PositiveIntegerField(
        "CPU limit",
        default=10,
        validators=[MinValueValidator(1, "A tenant needs at least 1 CPU: every job asks for one or more.")],
        help_text="CPUs of all running jobs together.",
    )
    max_memory_gi = models.PositiveIntegerField(
        "memory limit (Gi)",
        default=20,
        validators=[MinValueValidator(1, "A tenant needs at least 1 Gi: every job asks for one or more.")],
        help_text="Gi of all running jobs together.",
    )
    max_concurrent_jobs = models.PositiveIntegerField(
        "concurrent jobs",
        default=2,
        validators=[MinValueValidator(1, "At least 1 job at a time; to stop new jobs, pause submissions instead.")],
        help_text="Jobs that run at the same time.",
    )
    max_queued_jobs = models.PositiveIntegerField(
        "queued jobs", default=100, help_text="Jobs that may wait beyond those that run; 0 refuses instead of queueing."
    )
    weight = models.PositiveSmallIntegerField(
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_WEIGHT)],
        help_text="Its share where the cluster is not enough for all: 2 gets twice as much as 1.",
    )
    max_priority_class = models.CharField(
        "highest priority class",
        max_length=6,
        choices=PriorityClass.choices,
        default=PriorityClass.NORMAL,
        help_text="The highest class that its jobs may ask for; classes order its own jobs only.",
    )
    max_result_gib = models.PositiveIntegerField(
        "results kept (GiB)",
        null=True,
        blank=True,
        validators=[MaxValueValidator(MOST_GIB)],
        help_text="GiB of results that it may keep; empty: the service's TENANT_MAX_RESULT_BYTES.",
    )
    max_scenario_gib = models.PositiveIntegerField(
        "scenarios kept (GiB)",
        null=True,
        blank=True,
        validators=[MaxValueValidator(MOST_GIB)],
        help_text="GiB of own scenarios that it may keep; empty: the service's TENANT_MAX_SCENARIO_BYTES.",
    )
    requests_per_minute = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_REQUESTS)],
        help_text="Requests of all its keys together; empty: the service's RATE_LIMIT_PER_MINUTE.",
    )
    request_burst = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_REQUESTS)],
        help_text="Requests at once after a pause; empty: a third of a minute's, or the service's RATE_LIMIT_BURST.",
    )

    class Meta:
        abstract = True

    @property
    def limits(self) -> dict[str, Limit]:
        """The limits by column name."""
        return {name: getattr(self, name) for name in self.LIMITS}

    def copy_limits(self, other: "Limits", names: Iterable[str]) -> dict[str, tuple[Limit, Limit]]:
        """Take those over, unsaved; `{name: (old, new)}` of those that changed."""
        changed: dict[str, tuple[Limit, Limit]] = {}
        for name in names:
            old, new = getattr(self, name), getattr(other, name)
            if old != new:
                setattr(self, name, new)
                changed[name] = (old, new)
        return changed


def field_of(name: str) -> Any:
    """The model field of a limit, for its words and its checks."""
    return Limits._meta.get_field(name)
