"""A tenant's admin pages with its jobs: usage, cancelling, lower limits, deletion."""

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from simulations.models import Job
from tenants.models import ApiKey, Tenant
from tests.factories import TENANT_FORM, JobFactory, ScenarioFactory

pytestmark = pytest.mark.django_db
LIST = reverse("admin:tenants_tenant_changelist")
PAGE = reverse("admin:tenants_tenant_change", args=["city-a"])
DELETE = reverse("admin:tenants_tenant_delete", args=["city-a"])


def said(answer) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


@pytest.fixture
def busy(tenant):
    """Two started jobs of 3 CPU and 4 Gi, one queued of 8 CPU, one finished."""
    now = timezone.now()
    JobFactory(tenant=tenant, status="RUNNING", dispatched_at=now, started_at=now, cpu_request=3, memory_gi=4)
    JobFactory(tenant=tenant, dispatched_at=now, cpu_request=3, memory_gi=4)
    JobFactory(tenant=tenant, cpu_request=8)
    JobFactory(tenant=tenant, status="FAILED", dispatched_at=now, finished_at=now, cpu_request=9)
    return tenant


def test_usage_against_limits(superuser, busy, other_tenant):
    rows = superuser.get(LIST).content.decode()
    assert 'value="6" aria-label="CPU: 6 of 10"' in rows
    assert 'value="8" aria-label="Memory: 8 of 20 Gi"' in rows
    assert 'value="2" aria-label="Running jobs: 2 of 2"' in rows
    assert "status__exact=PENDING" in rows
    assert 'aria-label="CPU: 0 of 10"' in rows
    assert " style=" not in rows
    page = superuser.get(PAGE).content.decode()
    assert 'aria-label="CPU: 6 of 10"' in page
    assert 'aria-label="Kept scenarios: 0 bytes of 20.0 GiB"' in page


def test_a_lower_limit_is_explained_and_stops_nothing(quota_editor, busy):
    answer = quota_editor.post(PAGE, TENANT_FORM | {"max_cpu": 4, "max_concurrent_jobs": 1}, follow=True)
    assert "city-a now runs 6 CPU against a limit of 4, 2 jobs against a limit of 1. Its running jobs stay" in said(
        answer
    )
    assert "1 queued job(s) ask for more" in said(answer)
    assert Tenant.objects.get().max_cpu == 4
    assert Job.objects.filter(cancel_requested_at=None).count() == 4


def test_a_higher_limit_needs_no_words(quota_editor, busy):
    assert "now runs" not in said(quota_editor.post(PAGE, TENANT_FORM | {"max_cpu": 40}, follow=True))


def test_cancel_all_jobs(superuser, busy, other_tenant):
    JobFactory(tenant=other_tenant)
    answer = superuser.post(LIST, {"action": "cancel_jobs", "_selected_action": "city-a"}, follow=True)
    assert "Asked 3 job(s) to end" in said(answer)
    assert Job.objects.exclude(cancel_requested_at=None).count() == 3
    assert LogEntry.objects.get().change_message == "cancelled all jobs: 3"


def test_quota_editors_do_not_cancel(quota_editor, busy):
    quota_editor.post(LIST, {"action": "cancel_jobs", "_selected_action": "city-a"})
    assert not Job.objects.exclude(cancel_requested_at=None).exists()


def test_a_tenant_with_jobs_is_not_deleted(superuser, busy):
    answer = superuser.post(DELETE, {"post": "yes"}, follow=True)
    assert "Make it inactive" in said(answer)
    assert "manage.py offboard_tenant city-a" in said(answer)
    assert Tenant.objects.exists()
    assert not LogEntry.objects.exists()


def test_no_button_is_shown_for_a_deletion_that_is_refused(superuser, busy):
    assert DELETE not in superuser.get(PAGE).content.decode()
    Job.objects.all().delete()
    assert DELETE in superuser.get(PAGE).content.decode()


def test_a_tenant_without_jobs_is_deleted_with_its_keys(superuser, tenant):
    ApiKey.objects.issue(tenant=tenant)
    ScenarioFactory(tenant=tenant)
    superuser.post(DELETE, {"post": "yes"})
    assert not Tenant.objects.exists()
    assert LogEntry.objects.get().object_repr == "city-a"


def test_quota_editors_do_not_delete(quota_editor, tenant):
    assert quota_editor.post(DELETE, {"post": "yes"}).status_code == 403
