"""What is told of a job: its row's words, and what the row cannot know. The reconciler alone writes a job's columns; a
wish to cancel, a place in the line and a silent service are newer than what it wrote last."""

from dataclasses import dataclass
from datetime import datetime

from simulations import attention
from simulations.models import Job
from simulations.waiting import Line

NOT_STARTED = "Its cancellation was asked for; it ends within seconds."
STARTED = "Its cancellation was asked for; it is being stopped, and its partial results are collected first."


OWN_WORDS = {  # where the code alone would read badly
    "WAITING_KUEUE": "Waiting for Kueue",
    "WAITING_QUOTA": "Waiting for quota",
    "SUMO_FAILED": "SUMO failed",
    "SUMO_CRASHED": "SUMO crashed",
    "ALL_ENDED": "All runs ended",
}


def in_words(code: str) -> str:
    """A status or reason for people: `WAITING_FOR_NODE` → `Waiting for node`."""
    return OWN_WORDS.get(code) or code.replace("_", " ").capitalize()


@dataclass(frozen=True)
class Told:
    """In place of the row's reason and message. `silent_since`: see `attention`."""

    reason: str
    message: str
    silent_since: datetime | None = None


def tell(job: Job, line: Line | None = None) -> Told:
    """`line` is the tenant's, where it was looked at; without it a queued job says what the last pass said of it."""
    if job.is_finished:
        return Told(job.reason, job.message)
    told = Told(job.reason, job.message)
    if job.cancel_requested_at is not None:
        if job.reason != Job.Reason.CANCELLING:
            told = Told(Job.Reason.CANCELLING, NOT_STARTED if job.is_queued else STARTED)
    elif line is not None and job.is_queued and job.reason == Job.Reason.QUEUED:
        told = Told(job.reason, line.sentence(job))
    if silence := attention.silence(job.submitted_at, job.cluster_id):
        asked = "Its cancellation was asked for. " if job.cancel_requested_at else ""
        return Told(told.reason, asked + silence.sentence, silence.since)
    return told
