"""Whether a tenant's budget still bears a job, with what started ones may yet cost. Pure."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from simulations.models import Job


@dataclass
class Allowance:
    """A month's budget in its own unit. What has ended is used; what runs is reserved, up to its time limit."""

    period: str
    unit: str
    limit: Decimal
    used: Decimal
    costs: Mapping[uuid.UUID, Decimal]  # of each job that runs or may start, at most
    reserved: Decimal = field(default=Decimal(0))

    def take(self, job: Job) -> None:
        self.reserved += self.cost(job)

    def cost(self, job: Job) -> Decimal:
        return self.costs.get(job.pk, Decimal(0))

    def bears(self, job: Job) -> bool:
        return self.used + self.reserved + self.cost(job) <= self.limit

    def why_not(self, job: Job) -> str:
        """For a job that it does not bear."""
        held = f", {self.reserved:.2f} reserved for jobs that run" if self.reserved else ""
        used = f"{self.used:.2f} of {self.limit:.2f} {self.unit} are used{held}"
        return (
            f"The budget of {self.period} does not bear it: {used}, and up to its time limit this job may need "
            f"{self.cost(job):.2f}. It starts when the budget is raised, a new month begins, or jobs end for less than "
            "was reserved; a shorter time_limit_s asks for less."
        )
