"""What is wanted (scenarios, jobs) and what came of it (events, logs, artifacts)."""

from simulations.models.job import WAITS, Job, JobQuerySet
from simulations.models.notice import Notice
from simulations.models.outcome import Artifact, JobEvent, JobLog
from simulations.models.scenario import Scenario, ScenarioQuerySet
from simulations.models.storage import TenantStorage

__all__ = [
    "WAITS",
    "Artifact",
    "Job",
    "JobEvent",
    "JobLog",
    "JobQuerySet",
    "Notice",
    "Scenario",
    "ScenarioQuerySet",
    "TenantStorage",
]
