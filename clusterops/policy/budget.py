"""Whether a tenant's budget still bears a job, with what started ones may yet cost. Pure."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from simulations.models import Job

DOES_NOT_BEAR = "The budget of {period} does not bear it:"
OF_LIMIT = " of {limit} are used"


def is_held_by(message: str, *, period: str, limit: str) -> bool:
    """Whether `why_not` said it of that month and limit (such as 5.00 EUR): of others it is no news."""
    return DOES_NOT_BEAR.format(period=period) in message and OF_LIMIT.format(limit=limit) in message


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
        used = f"{self.used:.2f}{OF_LIMIT.format(limit=f'{self.limit:.2f} {self.unit}')}{held}"
        return (
            f"{DOES_NOT_BEAR.format(period=self.period)} {used}, and up to its time limit this job may need "
            f"{self.cost(job):.2f}. It starts when the budget is raised, a new month begins, or jobs end for less than "
            "was reserved; a shorter time_limit_s asks for less."
        )
