"""Scenarios in the admin: downloaded, shared, deleted when nothing needs them."""

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse

from simulations.models import Scenario
from tests.factories import JobFactory, ScenarioFactory

pytestmark = pytest.mark.django_db
LIST = reverse("admin:simulations_scenario_changelist")


@pytest.fixture
def scenario(tenant):
    row = ScenarioFactory(tenant=tenant, scenario_id="zurich_peak", version=3)
    default_storage.save(row.file.name, ContentFile(b"PK zip"))
    yield row
    default_storage.delete(row.file.name)


def url(action: str, row: Scenario) -> str:
    return reverse(f"admin:simulations_scenario_{action}", args=[row.pk])


def said(answer) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def test_download_streams_the_file(support, scenario):
    answer = support.get(url("download", scenario))
    assert answer.streaming
    assert b"".join(answer.streaming_content) == b"PK zip"
    assert answer["Content-Disposition"] == 'attachment; filename="zurich_peak-v3.zip"'


def test_a_lost_file_is_said_so(support, scenario):
    default_storage.delete(scenario.file.name)
    assert "not in storage any more" in said(support.get(url("download", scenario), follow=True))


def test_staff_without_permission_do_not_download(client, django_user_model, scenario):
    client.force_login(django_user_model.objects.create_user("new", is_staff=True))
    assert client.get(url("download", scenario)).status_code == 403


def test_share(superuser, scenario):
    share = {"action": "share", "_selected_action": scenario.pk}
    assert "is shared with all tenants as zurich_peak v1" in said(superuser.post(LIST, share, follow=True))
    shared = Scenario.objects.get(tenant=None)
    assert (shared.version, shared.sha256, shared.file.name) == (1, scenario.sha256, scenario.file.name)
    assert LogEntry.objects.count() == 2
    assert "is shared already" in said(superuser.post(LIST, share, follow=True))
    assert Scenario.objects.count() == 2


def test_support_does_not_share_or_delete(support, scenario):
    support.post(LIST, {"action": "share", "_selected_action": scenario.pk})
    assert support.post(url("delete", scenario), {"post": "yes"}).status_code == 403
    assert Scenario.objects.count() == 1


def test_delete_when_unused(superuser, scenario, django_capture_on_commit_callbacks):
    JobFactory(scenario=scenario, tenant=scenario.tenant, status="SUCCEEDED", finished_at="2026-01-01T00:00Z")
    with django_capture_on_commit_callbacks(execute=True):
        superuser.post(url("delete", scenario), {"post": "yes"})
    assert not Scenario.objects.exists()
    assert not default_storage.exists(scenario.file.name)
    assert LogEntry.objects.get().object_repr == "zurich_peak v3"


def test_the_file_stays_while_another_version_has_it(superuser, scenario, django_capture_on_commit_callbacks):
    superuser.post(LIST, {"action": "share", "_selected_action": scenario.pk})
    with django_capture_on_commit_callbacks(execute=True):
        superuser.post(url("delete", scenario), {"post": "yes"})
    assert default_storage.exists(scenario.file.name)


def test_in_use_is_refused(superuser, scenario):
    JobFactory(scenario=scenario, tenant=scenario.tenant)
    assert "have not ended use zurich_peak v3" in said(
        superuser.post(url("delete", scenario), {"post": "yes"}, follow=True)
    )
    assert Scenario.objects.exists()
    assert not LogEntry.objects.exists()


def test_the_list_asks_the_same_questions_however_long(superuser, scenario, django_assert_max_num_queries):
    superuser.get(LIST)
    for number in range(40):
        ScenarioFactory(tenant=scenario.tenant, scenario_id=f"s{number}")
    with django_assert_max_num_queries(6):
        superuser.get(LIST)
