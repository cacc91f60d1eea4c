"""A job's request once more, as it was accepted: version, bytes and seed stay, so the run can be compared."""

from collections.abc import Mapping
from typing import Any

from simulations.api.requests import SubmitRequest
from simulations.models import Job
from simulations.services.submission import submit_job


def run_again(job: Job, changes: Mapping[str, Any] | None = None, *, idempotency_key: str | None = None) -> Job:
    """A new job of the same tenant. `scenario_data`, `labels` and `tenant` must be loaded.

    Raises what `submit_job` raises, and ValidationError.
    """
    wanted = SubmitRequest.read({**job.scenario_data, "labels": job.labels, **(changes or {})})
    return submit_job(tenant=job.tenant, wanted=wanted, idempotency_key=idempotency_key)[0]
