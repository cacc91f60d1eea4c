"""What tenants used is kept from pass to pass, and decides whose job is next where not all can start."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clusterops.models import FairShare
from clusterops.policy.fair_share import Resources
from clusterops.reconciler.pass_state import Memory, Pass
from clusterops.reconciler.rate import Bucket
from clusterops.reconciler.shares import charge, claims, note_overtaken
from simulations.models import Job
from tests.factories import JobFactory, TenantFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=0)
HOUR = timedelta(hours=1)
ONE = Resources(1, 1)


def a_pass(*jobs: Job, at: timedelta = timedelta()) -> Pass:
    return Pass(gateway=None, memory=Memory(), now=NOW + at, jobs=list(jobs))  # type: ignore[arg-type]


def running(cpu: int = 2, **columns) -> Job:
    fields = {"status": "RUNNING", "reason": "RUNNING", "dispatched_at": NOW - HOUR, "started_at": NOW - HOUR}
    return JobFactory(cpu_request=cpu, memory_gi=1, **fields | columns)


def test_each_pass_adds_what_ran_since_the_one_before(django_assert_num_queries, settings) -> None:
    settings.FAIR_SHARE_HALF_LIFE = 1.0
    job, waiting = running(), JobFactory()
    charge(a_pass(job, waiting))
    row = FairShare.objects.get()
    assert (row.tenant_id, row.cpu_s, row.memory_gi_s, row.at) == (job.tenant_id, 7200, 3600, NOW)
    with django_assert_num_queries(2):
        charge(a_pass(job, waiting, at=HOUR))
    row.refresh_from_db()
    assert row.cpu_s == pytest.approx(7200 * 0.5 ** (1 / 24) + 7200)
    with django_assert_num_queries(1):  # nothing ran: it fades without being written
        charge(a_pass(waiting, at=25 * HOUR))
    this_pass = a_pass(at=25 * HOUR)
    charge(this_pass)
    tenants = {each.pk: each for each in (job.tenant, waiting.tenant)}
    found = claims(this_pass, tenants, {}, ONE)
    assert found[job.tenant_id].used.cpu == pytest.approx(row.cpu_s / 2)
    assert (found[job.tenant_id].used_share, found[waiting.tenant_id].used_share) == (1.0, 0.0)


def test_since_when_a_job_finds_no_room_is_kept_until_another_is_first() -> None:
    first, second = JobFactory(), JobFactory()
    this_pass = a_pass()
    note_overtaken(this_pass, [first])
    later = a_pass(at=HOUR)
    charge(later)
    note_overtaken(later, [first])
    claim = claims(later, {first.tenant_id: first.tenant}, {}, ONE)[first.tenant_id]
    assert (claim.overtaken_job, claim.overtaken_for) == (first.pk, HOUR)
    second.tenant_id = first.tenant_id
    note_overtaken(later, [second])
    row = FairShare.objects.get()
    assert (row.overtaken_job, row.overtaken_since) == (second.pk, NOW + HOUR)


def test_tenants_take_turns_over_passes_and_not_by_alphabet(loop, settings, tmp_path) -> None:
    settings.DISPATCH_PER_SECOND = 1  # and as many more as it takes BURST_S to save
    tenants = [TenantFactory(tenant_id=f"turn-{letter}") for letter in "abcd"]
    for tenant in tenants:
        for _ in range(3):
            job = JobFactory(tenant=tenant)
            job.scenario_data |= {"options": {"hold": str(tmp_path / "go")}}
            job.save()
    for _ in range(2):
        loop.memory.bucket = Bucket()
        loop.once()
    begun = Job.objects.filter(dispatched_at__isnull=False).values_list("tenant_id", flat=True)
    assert sorted(begun) == [tenant.pk for tenant in tenants]
    (tmp_path / "go").touch()
