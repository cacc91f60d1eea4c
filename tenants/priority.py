"""Priority classes: a coarser word than a number, bounded per tenant."""

from django.db import models


class PriorityClass(models.TextChoices):
    """Which of a tenant's own jobs go first. It never puts one tenant before another."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """For sorting and comparing: higher goes first."""
        return RANKS[self]

    @classmethod
    def of_rank(cls, rank: int) -> "PriorityClass":
        """Raises KeyError for a number that no class has."""
        return BY_RANK[rank]


RANKS = {PriorityClass.LOW: -1, PriorityClass.NORMAL: 0, PriorityClass.HIGH: 1}
BY_RANK = {rank: each for each, rank in RANKS.items()}
