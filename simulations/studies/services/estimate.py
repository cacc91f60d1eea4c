"""What a study would cost, from the tenant's own newest runs of the same scenario."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

from simulations.studies.limits import study_slots
from tenants.models import Tenant

NEWEST = 300  # jobs looked at
# Seconds of wall clock per second simulated, by the bytes of the scenario and its configuration.
RATES = """
SELECT sha256, config, sum(wall_s) / sum(simulated_s), avg(wall_s), count(*) FROM (
  SELECT scenario_data->>'sha256' AS sha256, scenario_data->>'config' AS config, status,
    extract(epoch FROM finished_at - started_at)::float AS wall_s,
    greatest((results->>'sim_end')::float - coalesce((results->>'sim_begin')::float, 0), 1) AS simulated_s
  FROM jobs WHERE tenant_id = %s ORDER BY submitted_at DESC, job_id DESC LIMIT %s
) newest WHERE status = 'SUCCEEDED' AND wall_s IS NOT NULL AND simulated_s IS NOT NULL GROUP BY sha256, config
"""


def estimate(
    tenant: Tenant, cells: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], seeds: int, max_parallel: int | None
) -> dict[str, Any]:
    """`cells`: (request, setting) of each; `seeds`: how many.

    {"cpu_h", "duration_s", "from_runs"}; null where no such run has ended yet. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(RATES, [tenant.pk, NEWEST])
        rates = {(sha256, config): rest for sha256, config, *rest in cursor.fetchall()}
    wall_s, cpu_s, seen = 0.0, 0.0, 0
    for request, setting in cells:
        known = rates.get((request["sha256"], request["config"]))
        if known is None:
            return {"cpu_h": None, "duration_s": None, "from_runs": 0}
        per_second, mean_s, count = known
        run_s = mean_s if setting["end"] is None else per_second * (setting["end"] - setting["begin"])
        wall_s += run_s
        cpu_s += run_s * request["cpu_request"]
        seen = max(seen, count)
    at_once = min(parallel(tenant, max_parallel), len(cells) * seeds)
    return {
        "cpu_h": round(cpu_s * seeds / 3600, 3),
        "duration_s": round(wall_s * seeds / max(at_once, 1), 1),
        "from_runs": seen,
    }


def parallel(tenant: Tenant, max_parallel: int | None) -> int:
    """How many runs of one study may be under way together under today's limits."""
    slots = study_slots(tenant.max_concurrent_jobs)
    return slots if max_parallel is None else min(slots, max_parallel)
