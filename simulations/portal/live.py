"""Fragments that pages poll: nothing is sent while nothing has changed."""

import hashlib
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from simulations.models import Job
from simulations.portal.access import Seat, show

STOP_POLLING = 286  # htmx's own
UNCHANGED = 204


def mark(*parts: Any) -> str:
    """Of what a fragment shows; another each minute, so that ages move on."""
    return still_mark(int(timezone.now().timestamp() // 60), parts)


def still_mark(*parts: Any) -> str:
    """Of what shows no ages."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def state_of(job: Job) -> tuple[Any, ...]:
    """What a job's row shows changes only with these."""
    return (job.pk, job.status, job.reason, job.message, job.progress_at, job.cancel_requested_at, job.attempt)


def fragment(
    request: HttpRequest, seat: Seat, template: str, context: Mapping[str, Any], *, ended: bool = False
) -> HttpResponse:
    """`context` has the `mark` of what it shows; a page that shows it already gets no body."""
    if not ended and request.GET.get("seen") == context["mark"]:
        return HttpResponse(status=UNCHANGED)
    return show(request, seat, template, context, status=STOP_POLLING if ended else 200)
