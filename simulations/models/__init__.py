"""What is wanted (scenarios, jobs) and what came of it (events, logs, artifacts)."""

from simulations.models.counts import JobCount
from simulations.models.job import Job
from simulations.models.job_queries import WAITS, JobQuerySet
from simulations.models.moves import Move
from simulations.models.notice import Notice
from simulations.models.outcome import Artifact, JobEvent, JobLog
from simulations.models.profile import ScenarioProfile
from simulations.models.refusal import Refusal
from simulations.models.scenario import Scenario, ScenarioQuerySet
from simulations.models.storage import TenantStorage

__all__ = [
    "WAITS",
    "Artifact",
    "Job",
    "JobCount",
    "JobEvent",
    "JobLog",
    "JobQuerySet",
    "Move",
    "Notice",
    "Refusal",
    "Scenario",
    "ScenarioProfile",
    "ScenarioQuerySet",
    "TenantStorage",
]
