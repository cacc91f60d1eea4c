"""Every page of a tenant with 10,000 jobs and 50 studies of 50 runs."""

import json
from typing import Any

from benchmarks.pages import row_of
from benchmarks.rows import clear, scenario_of
from benchmarks.studies import end_all, request

JOBS, STUDIES = 10_000, 50
CELLS, SEEDS = 5, 10


def measure() -> list[dict[str, Any]]:
    """As the tenant's owner, whole requests through Django in this process."""
    from django.test import Client

    from simulations.models import Job

    tenant, ended, study, user, _ = filled()
    owner = Client(headers={"Host": "localhost"})
    owner.force_login(user)
    running = Job.objects.filter(status=Job.Status.RUNNING).first()
    assert running
    here, compared = f"/t/{tenant.pk}", f"{ended.pk},{running.pk}"
    names = {str(ended.pk): "<ended>", str(running.pk): "<running>", study: "<study>"}
    pages = (
        *("", "/now", "/jobs", "/jobs?status=FAILED", "/jobs?label=study:peak-hour", "/scenarios"),
        *("/scenarios/zurich_peak", "/submit", f"/jobs/{ended.pk}", f"/jobs/{running.pk}/now", "/studies"),
        *("/studies/new", f"/studies/{study}", f"/studies/{study}/compare"),
        *(f"/compare?jobs={compared}", "/keys", "/webhooks", "/members"),
    )
    searches = (f"/search?tenant={tenant.pk}&q=ring", f"/search?q={ended.job_id.hex[3:10]}", "/account")
    return [row_of(owner, path, names) for path in (*(f"{here}{page}" for page in pages), *searches)]


def filled() -> tuple[Any, Any, str, Any, Any]:
    """The tenant, a job that has ended, a study, an owner, a superuser."""
    from django.contrib.auth.models import User
    from django.test import Client

    from simulations.models import Job
    from simulations.studies.models import Study
    from tenants.members import Member
    from tenants.models import ApiKey, Tenant
    from tests.clusterops.dashboard import seed

    clear()
    seed.fill(tenants=1, jobs=JOBS)
    tenant = Tenant.objects.get()
    scenario_of(tenant)
    key = ApiKey.objects.issue(tenant=tenant)[1]
    program = Client(headers={"Host": "localhost", "Authorization": f"Bearer {key}"})
    body = json.dumps(request(CELLS, SEEDS))
    for _ in range(STUDIES):
        answer = program.post("/studies", body, content_type="application/json")
        if answer.status_code != 201:
            raise RuntimeError(f"{answer.status_code} {answer.content[:300]!r}")
        study = answer.json()["study_id"]
        end_all(study)
        Study.objects.get(pk=study).turn("COMPLETE", reason="ALL_ENDED", message="All runs have ended.")
    User.objects.filter(username__in=("bench-owner", "bench-staff")).delete()
    user = User.objects.create_user("bench-owner")
    Member.objects.create(tenant=tenant, user=user, role="owner")
    ended = Job.objects.filter(status=Job.Status.SUCCEEDED).first()
    return tenant, ended, study, user, User.objects.create_superuser("bench-staff")
