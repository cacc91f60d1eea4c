"""A job's request once more, as it was accepted: version, bytes and seed stay, so the run can be compared."""

from typing import Any

from simulations.api.requests import SubmitRequest
from simulations.models import Job
from simulations.services.submission import submit_job


def run_again(job: Job, *, memory_gi: int | None = None) -> Job:
    """A new job of the same tenant. `scenario_data` and `tenant` must be loaded. Raises what `submit_job` raises."""
    fields = SubmitRequest().fields
    wanted: dict[str, Any] = {name: value for name, value in job.scenario_data.items() if name in fields}
    wanted |= {"cpu_request": job.cpu_request, "memory_gi": memory_gi or job.memory_gi, "labels": job.labels}
    return submit_job(tenant=job.tenant, wanted=SubmitRequest.read(wanted))[0]
