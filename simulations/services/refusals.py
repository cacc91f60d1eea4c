"""Counting what is refused for a tenant's limits; by the API's own statement, after the refused transaction."""

from datetime import timedelta

from django.db import connection
from django.utils import timezone

from simulations.models import Refusal

CODES = {  # and what pages call them
    "queue.full": "the queue was full",
    "limits.exceeded": "more than its limits",
    "limits.no_machine": "more than any machine has",
    "priority_class.not_allowed": "too high a priority class",
    "budget.reached": "the budget was used up",
}
KEPT = timedelta(days=30)
COUNT = """
INSERT INTO refusals (tenant_id, day, code, count) VALUES (%s, (now() AT TIME ZONE 'UTC')::date, %s, 1)
ON CONFLICT (tenant_id, day, code) DO UPDATE SET count = refusals.count + 1
"""


def count(tenant_id: str, code: str) -> None:
    """One more; nothing for what has other causes than a limit."""
    if code in CODES:
        with connection.cursor() as cursor:
            cursor.execute(COUNT, [tenant_id, code])


def forget() -> int:
    """Those of long ago."""
    return Refusal.objects.filter(day__lt=timezone.now().date() - KEPT).delete()[0]
