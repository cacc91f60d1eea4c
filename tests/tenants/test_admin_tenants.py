"""Staff's pages for tenants and keys: who may do what, and what the history says of it."""

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tenants.models import ApiKey, Tenant
from tests.factories import TENANT_FORM, TenantFactory

pytestmark = pytest.mark.django_db
LIST = reverse("admin:tenants_tenant_changelist")
ADD = reverse("admin:tenants_tenant_add")
KEYS = reverse("admin:tenants_apikey_changelist")
ADD_KEY = reverse("admin:tenants_apikey_add")


def page(tenant: Tenant) -> str:
    return reverse("admin:tenants_tenant_change", args=[tenant.pk])


def key_url(action: str, *arguments: object) -> str:
    return reverse(f"admin:tenants_{action}_key", args=arguments)


def said(answer) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def last_entry() -> LogEntry:
    return LogEntry.objects.first()


def shown_key(answer) -> str:
    return re.search(r"<code class='sk-key'>(sk8_[\w-]{43})</code>", answer.content.decode()).group(1)


def test_a_tenant_is_made_and_its_first_key_issued(quota_editor):
    answer = quota_editor.post(ADD, TENANT_FORM | {"tenant_id": "city-a", "max_cpu": 30}, follow=True)
    tenant = Tenant.objects.get()
    assert answer.redirect_chain[-1][0] == page(tenant)
    assert (tenant.namespace, tenant.max_cpu) == ("city-a", 30)
    assert "max_cpu: 30" in last_entry().change_message
    answer = quota_editor.post(key_url("issue", "city-a"), {"label": "ci", "expires_days": "30"}, follow=True)
    row = ApiKey.objects.usable().get(digest=ApiKey.digest_of(shown_key(answer)))
    assert (row.tenant, row.label, (row.expires_at - timezone.now()).days) == (tenant, "ci", 29)
    assert "sk8_" in last_entry().change_message
    assert shown_key(answer) not in str(list(LogEntry.objects.values()))
    assert "class='sk-key'" not in quota_editor.get(page(tenant)).content.decode()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"max_cpu": 0}, "A tenant needs at least 1 CPU"),
        ({"max_memory_gi": 0}, "A tenant needs at least 1 Gi"),
        ({"max_concurrent_jobs": 0}, "pause submissions instead"),
        ({"max_queued_jobs": -1}, "greater than or equal to 0"),
        ({"max_cpu": 10**12}, "less than or equal to"),
        ({"tenant_id": "Big City"}, "lower-case letters"),
        ({"tenant_id": "kube-system"}, "belongs to the cluster itself"),
        ({"namespace": "default"}, "belongs to the cluster itself"),
    ],
)
def test_a_wrong_value_is_explained(quota_editor, wrong, sentence):
    answer = quota_editor.post(ADD, TENANT_FORM | {"tenant_id": "city-a"} | wrong)
    assert sentence in answer.content.decode()
    assert not Tenant.objects.exists()


def test_the_history_has_old_and_new_values(quota_editor, tenant):
    quota_editor.post(page(tenant), TENANT_FORM | {"max_cpu": 20, "submissions_paused": "on"})
    entry = last_entry()
    assert (entry.user.username, entry.object_id) == ("quinn", "city-a")
    assert entry.change_message == "max_cpu: 10 → 20; submissions_paused: no → yes"
    history = quota_editor.get(reverse("admin:tenants_tenant_history", args=["city-a"])).content.decode()
    assert "max_cpu: 10 → 20" in history


def test_name_and_namespace_stay(quota_editor, tenant):
    quota_editor.post(page(tenant), TENANT_FORM | {"tenant_id": "other", "namespace": "other"})
    assert Tenant.objects.get().namespace == "city-a"


def test_pause_and_resume(quota_editor, tenant, other_tenant):
    Tenant.objects.filter(pk="city-b").update(submissions_paused=True)
    chosen = {"_selected_action": ["city-a", "city-b"]}
    answer = quota_editor.post(LIST, chosen | {"action": "pause_submissions"}, follow=True)
    assert "Submissions paused (reads go on, new jobs are refused): city-a." in said(answer)
    assert [entry.object_id for entry in LogEntry.objects.all()] == ["city-a"]
    assert last_entry().change_message == "submissions_paused: no → yes"
    quota_editor.post(LIST, chosen | {"action": "resume_submissions"})
    assert not Tenant.objects.filter(submissions_paused=True).exists()


def test_rotation_overlaps(quota_editor, tenant):
    old, _ = ApiKey.objects.issue(tenant=tenant, label="ci")
    answer = quota_editor.post(key_url("rotate", "city-a", old.pk), {"overlap_hours": "2"}, follow=True)
    old.refresh_from_db()
    assert old.expires_at - timezone.now() <= timedelta(hours=2)
    assert ApiKey.objects.usable().filter(label="ci").count() == 2
    assert ApiKey.digest_of(shown_key(answer)) != old.digest
    assert f"API key {old.prefix}…: replaced by" in last_entry().change_message


@pytest.mark.parametrize("hours", ["", "-1", "99999", "x"])
def test_rotation_refuses_a_wrong_overlap(quota_editor, tenant, hours):
    old, _ = ApiKey.objects.issue(tenant=tenant)
    answer = quota_editor.post(key_url("rotate", "city-a", old.pk), {"overlap_hours": hours}, follow=True)
    assert "Old key works for (hours)" in said(answer)
    assert ApiKey.objects.count() == 1


def test_revocation(quota_editor, tenant):
    row, _ = ApiKey.objects.issue(tenant=tenant)
    url = key_url("revoke", "city-a", row.pk)
    assert "refused from now on" in said(quota_editor.post(url, follow=True))
    assert last_entry().change_message == f"API key {row.prefix}…: revoked"
    assert "revoked before" in said(quota_editor.post(url, follow=True))
    assert LogEntry.objects.count() == 1
    assert "is revoked" in said(
        quota_editor.post(key_url("rotate", "city-a", row.pk), {"overlap_hours": 1}, follow=True)
    )


def test_another_tenants_key_is_not_found_here(quota_editor, tenant, other_tenant):
    row, _ = ApiKey.objects.issue(tenant=other_tenant)
    assert quota_editor.post(key_url("revoke", "city-a", row.pk)).status_code == 404


def test_key_actions_take_only_post(quota_editor, tenant):
    row, _ = ApiKey.objects.issue(tenant=tenant)
    urls = [key_url("issue", "city-a"), key_url("rotate", "city-a", row.pk), key_url("revoke", "city-a", row.pk)]
    assert [quota_editor.get(url).status_code for url in urls] == [405, 405, 405]


def test_support_looks_and_changes_nothing(support, tenant):
    row, _ = ApiKey.objects.issue(tenant=tenant)
    for url in (LIST, page(tenant), KEYS):
        assert support.get(url).status_code == 200
    assert "Issue key" not in support.get(page(tenant)).content.decode()
    refused = {
        page(tenant): TENANT_FORM | {"max_cpu": 99},
        ADD: TENANT_FORM | {"tenant_id": "new"},
        key_url("issue", "city-a"): {},
        key_url("rotate", "city-a", row.pk): {"overlap_hours": 1},
        key_url("revoke", "city-a", row.pk): {},
        ADD_KEY: {"tenant": "city-a"},
    }
    assert [support.post(url, data).status_code for url, data in refused.items()] == [403] * len(refused)
    support.post(LIST, {"action": "pause_submissions", "_selected_action": "city-a"})
    support.post(KEYS, {"action": "revoke", "_selected_action": str(row.pk)})
    tenant.refresh_from_db()
    assert (tenant.max_cpu, tenant.submissions_paused) == (10, False)
    assert ApiKey.objects.usable().count() == 1
    assert not LogEntry.objects.exists()


def test_others_are_sent_to_sign_in(tenant):
    visitor = Client()
    visitor.force_login(User.objects.create_user("visitor"))
    for client in (Client(), visitor):
        for url in (LIST, page(tenant), key_url("issue", "city-a")):
            answer = client.post(url, TENANT_FORM)
            assert answer.status_code == 302
            assert "/admin/login/" in answer["Location"]
    assert not ApiKey.objects.exists()


def test_forms_need_the_csrf_token(tenant):
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("boss"))
    assert client.post(page(tenant), TENANT_FORM | {"max_cpu": 99}).status_code == 403
    assert client.post(key_url("issue", "city-a")).status_code == 403
    client.get(page(tenant))
    token = client.cookies["csrftoken"].value
    assert client.post(key_url("issue", "city-a"), {"csrfmiddlewaretoken": token}).status_code == 302
    assert ApiKey.objects.count() == 1


def test_admins_keys_are_for_superusers(superuser, quota_editor):
    blank = {"label": "grafana", "role": "owner", "expires_at": ""}
    assert "This field is required" in quota_editor.post(ADD_KEY, blank).content.decode()
    key = shown_key(superuser.post(ADD_KEY, blank, follow=True))
    row = ApiKey.objects.get(digest=ApiKey.digest_of(key))
    assert (row.scope, row.label) == ("admin", "grafana")
    quota_editor.post(KEYS, {"action": "revoke", "_selected_action": row.pk})
    assert ApiKey.objects.usable().count() == 1
    superuser.post(KEYS, {"action": "revoke", "_selected_action": row.pk})
    assert not ApiKey.objects.usable().exists()
    assert last_entry().change_message == "revoked"


def test_a_key_is_not_made_to_expire_in_the_past(quota_editor, tenant):
    form = {"tenant": "city-a", "label": "", "expires_at": "2020-01-01T00:00"}
    assert "This time has passed" in quota_editor.post(ADD_KEY, form).content.decode()


def test_keys_are_never_deleted_and_never_shown(superuser, tenant):
    row, key = ApiKey.objects.issue(tenant=tenant)
    url = reverse("admin:tenants_apikey_change", args=[row.pk])
    text = superuser.get(KEYS).content.decode() + superuser.get(url).content.decode()
    assert row.digest not in text
    assert key not in text
    assert superuser.post(reverse("admin:tenants_apikey_delete", args=[row.pk]), {"post": "yes"}).status_code == 403


def test_lists_ask_the_same_questions_however_long(superuser, django_assert_num_queries):
    def fill(first: int, last: int) -> None:
        for number in range(first, last):
            tenant = TenantFactory(tenant_id=f"city-{number}")
            ApiKey.objects.issue(tenant=tenant)

    fill(0, 3)
    superuser.get(LIST)
    with django_assert_num_queries(4):  # session, user, count, rows
        superuser.get(LIST)
    fill(3, 30)
    with django_assert_num_queries(4):
        superuser.get(LIST)
    with django_assert_num_queries(4):
        superuser.get(KEYS)
