"""A job's labels for reading: those that a study gives its jobs tell the study's name."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from simulations.models import Job
from simulations.studies.models import Study
from tenants.models import Tenant

STUDY, CELL = "study.id", "study.cell"


@dataclass(frozen=True)
class Label:
    name: str
    value: str
    text: str


def study_names(tenant: Tenant, jobs: Iterable[Job]) -> dict[str, str]:
    """By the label's value. One query where any job has one; labels can also be given by hand, so they are only
    believed where there is such a study."""
    ids = {found for job in jobs if (found := _id(job.labels.get(STUDY)))}
    if not ids:
        return {}
    rows = Study.objects.filter(tenant=tenant, pk__in=ids).values_list("pk", "name")
    return {str(pk): name or f"study {str(pk)[:8]}" for pk, name in rows}


def _id(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None


def labels_of(job: Job, names: Mapping[str, str]) -> list[Label]:
    """Of a row in a list."""
    return [Label(name, value, _text(job, name, value, names)) for name, value in job.labels.items()]


def _text(job: Job, name: str, value: str, names: Mapping[str, str]) -> str:
    if name == STUDY and value in names:
        return f"study: {names[value]}"
    if name == CELL and job.labels.get(STUDY) in names:
        return f"cell: {value}"
    return f"{name}: {value}"
