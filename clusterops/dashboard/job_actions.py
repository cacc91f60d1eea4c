"""What staff do with jobs: cancel, run again. Each is in the history, with who did it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth.models import User
from rest_framework.exceptions import ValidationError

from simulations.api.again import run_again
from simulations.models import Job
from tenants.errors import ApiError

AT_ONCE = 50  # a page of the list
NONE_CHOSEN = "Choose at least one job."


@dataclass(frozen=True)
class Said:
    """What came of it, for the page."""

    text: str
    is_good: bool = True
    new_job: uuid.UUID | None = None


def cancellable(ids: Sequence[uuid.UUID]) -> list[Job]:
    """Those of them that go on and nobody has asked to end: what is shown before they are cancelled."""
    found = Job.objects.active().filter(pk__in=ids, cancel_requested_at=None)
    shown = found.only("job_id", "tenant_id", "status", "scenario_data", "submitted_at")
    return list(shown.order_by("tenant_id", "submitted_at", "job_id")[:AT_ONCE])


def cancel(user: User, ids: Sequence[uuid.UUID]) -> Said:
    """Write the wish; the reconciler makes it real."""
    if not ids:
        return Said(NONE_CHOSEN, is_good=False)
    wished = [job for job in cancellable(ids) if job.request_cancel()]
    if wished:
        LogEntry.objects.log_actions(user.pk, wished, CHANGE, "asked to end")
    text = f"{_jobs(len(wished))} asked to end; each ends within seconds." if wished else "Nothing to cancel:"
    if rest := len(ids) - len(wished):
        text += f" {rest} had ended or {'is' if rest == 1 else 'are'} being cancelled already."
    return Said(text, bool(wished))


def rerun(user: User, ids: Sequence[uuid.UUID], *, more_memory: bool = False) -> Said:
    """The same requests again, within the tenants' limits; what is refused says why."""
    if not ids:
        return Said(NONE_CHOSEN, is_good=False)
    new: list[Job] = []
    refused: list[str] = []
    for job in Job.objects.filter(pk__in=ids).select_related("tenant")[:AT_ONCE]:
        try:
            new.append(run_again(job, {"memory_gi": 2 * job.memory_gi} if more_memory else None))
        except ApiError as error:
            why = error.details[0]["message"] if error.status_code == 422 and error.details else error.message
            refused.append(f"{job.job_id.hex[:8]}: {why}")
        except ValidationError:
            refused.append(f"{job.job_id.hex[:8]}: its request is of an older kind; submit it anew.")
    if new:
        LogEntry.objects.log_actions(user.pk, new, ADDITION, "run again")
    text = f"{_jobs(len(new))} submitted again." if new else ""
    if refused:
        text = f"{text} Refused: {' '.join(refused[:3])}{' …' if len(refused) > 3 else ''}".strip()
    return Said(text or "No such job.", bool(new) and not refused, new[0].pk if len(new) == 1 else None)


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count} jobs"
