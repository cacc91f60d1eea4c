"""Two who edit one row at once: the second is told, and decides."""

import html
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.db import connections
from django.test import RequestFactory
from django.urls import reverse

from tenants.fresh_rows import FreshRowMixin
from tenants.models import ApiKey, Tenant
from tests.factories import TENANT_FORM

pytestmark = pytest.mark.django_db
PAGE = reverse("admin:tenants_tenant_change", args=["city-a"])
EDITORS = 8


def seen(answer) -> dict[str, str]:
    return {"_seen": html.unescape(re.search(r'name="_seen" value="([^"]*)"', answer.content.decode()).group(1))}


def test_the_second_is_told_and_saves_knowingly(quota_editor, superuser, tenant):
    first, second = seen(quota_editor.get(PAGE)), seen(superuser.get(PAGE))
    quota_editor.post(PAGE, TENANT_FORM | first | {"max_cpu": 40})
    answer = superuser.post(PAGE, TENANT_FORM | second | {"max_memory_gi": 64})
    text = html.unescape(answer.content.decode())
    assert "Meanwhile somebody else changed this: CPU limit. Nothing was saved" in text
    assert Tenant.objects.values_list("max_cpu", "max_memory_gi").get() == (40, 20)
    assert LogEntry.objects.count() == 1
    superuser.post(PAGE, TENANT_FORM | seen(answer) | {"max_memory_gi": 64})
    assert Tenant.objects.values_list("max_cpu", "max_memory_gi").get() == (10, 64)
    assert LogEntry.objects.first().change_message == "max_cpu: 40 → 10; max_memory_gi: 20 → 64"


def test_the_same_change_twice_is_no_conflict(quota_editor, superuser, tenant):
    first, second = seen(quota_editor.get(PAGE)), seen(superuser.get(PAGE))
    quota_editor.post(PAGE, TENANT_FORM | first | {"max_cpu": 40})
    assert superuser.post(PAGE, TENANT_FORM | second | {"max_cpu": 40}).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_of_many_at_the_same_moment_one_is_saved(superuser, tenant):
    token = seen(superuser.get(PAGE))
    barrier = threading.Barrier(EDITORS)

    def save(number: int) -> int:
        barrier.wait(30)
        try:
            return superuser.post(PAGE, TENANT_FORM | token | {"max_cpu": 20 + number}).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(EDITORS) as threads:
        assert sorted(threads.map(save, range(EDITORS))) == [200] * (EDITORS - 1) + [302]
    assert LogEntry.objects.count() == 1


def test_what_others_change_beside_the_form_counts_too(quota_editor, tenant):
    token = seen(quota_editor.get(PAGE))
    Tenant.objects.update(submissions_paused=True)  # an action, a command
    answer = quota_editor.post(PAGE, TENANT_FORM | token)
    assert "Meanwhile somebody else changed this: Submissions paused" in html.unescape(answer.content.decode())
    assert Tenant.objects.get().submissions_paused


@pytest.mark.parametrize("nonsense", ["{", "[]", "null", '{"max_cpu": 1}', "[" * 100_000])
def test_a_token_that_is_none(quota_editor, tenant, nonsense):
    assert quota_editor.post(PAGE, TENANT_FORM | {"_seen": nonsense}).status_code in {200, 302}


def test_keys_users_and_groups(superuser, tenant):
    key, _ = ApiKey.objects.issue(tenant=tenant, label="ci")
    user, group = User.objects.create_user("ann", is_staff=True), Group.objects.get(name="Support")
    for row, change in (
        (key, lambda: ApiKey.objects.update(label="other")),
        (user, lambda: user.groups.add(group)),
        (group, lambda: group.permissions.clear()),
    ):
        url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
        page = superuser.get(url)
        initial = {name: value for name, value in page.context["adminform"].form.initial.items() if value is not None}
        initial = {
            name: [getattr(each, "pk", each) for each in value] if isinstance(value, list) else value
            for name, value in initial.items()
        }
        token = seen(page)
        assert superuser.post(url, initial | token | {"last_login_0": "", "last_login_1": ""}).status_code in {200, 302}
        change()
        answer = superuser.post(url, initial | token)
        assert "Meanwhile somebody else changed this" in html.unescape(answer.content.decode()), row


def test_every_page_that_can_be_edited_has_it(superuser):
    request = RequestFactory().get("/admin/")
    request.user = User.objects.get(username="root")
    editable = {kind for kind in admin.site._registry.values() if kind.has_change_permission(request)}
    ours = {kind for kind in editable if kind.model._meta.app_label in {"tenants", "simulations", "auth"}}
    assert len(ours) == 8
    assert all(isinstance(kind, FreshRowMixin) for kind in ours)
