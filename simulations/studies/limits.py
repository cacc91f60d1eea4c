"""Bounds of a study that are not settings."""

MAX_SEEDS = 100
MAX_ACTIVE = 10  # of a tenant
MAX_BODY_BYTES = 256 * 1024
MAX_LISTED = 100  # problems told at once


def study_slots(slots: int) -> int:
    """How many of a tenant's slots studies may hold: from 3 on, a quarter and at least one are kept for single jobs."""
    return slots if slots < 3 else slots - max(1, slots // 4)
