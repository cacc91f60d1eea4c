"""Runs that were made before: the same bytes, request, seed and runner give the same figures."""

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

from django.conf import settings

from simulations.services.submission import as_always
from simulations.studies.models import StudyRun

# What SUMO does does not depend on these: names, and what the run may cost.
WITHOUT = {
    *("scenario_id", "scenario_version", "priority_class", "priority", "labels", "cpu_request", "memory_gi"),
    "time_limit_s",
}


def digest_of(request: Mapping[str, Any]) -> str:
    """Of an accepted request with its seed, and of the image, whose tag names SUMO's version."""
    what = {name: value for name, value in as_always(request).items() if name not in WITHOUT}
    text = json.dumps([settings.RUNNER_IMAGE, what], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def finished_before(tenant_id: str, digests: Collection[str]) -> dict[str, StudyRun]:
    """digest → a run of the tenant's own studies that succeeded and whose job, with its files, is still there."""
    rows = StudyRun.objects.filter(
        digest__in=digests, status=StudyRun.Status.SUCCEEDED, reused=False, study__tenant=tenant_id, job__isnull=False
    ).exclude(sumo_version="")
    return {row.digest: row for row in rows}
