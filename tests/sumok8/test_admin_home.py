"""The admin's home, the groups of staff, and accounts in the history."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse
from django.utils import timezone

from clusterops.models import ReconcilerState, TenantNamespace
from tests.clusterops.dashboard.conftest import cluster_answers as cluster_answers
from tests.factories import JobFactory, TenantFactory

pytestmark = pytest.mark.django_db
HOME = reverse("admin:index")
TENANT = reverse("admin:tenants_tenant_change", args=["city-a"])
QUOTA = reverse("admin:tenants_tenant_quota", args=["city-a"])


def test_home_counts_what_matters(superuser, tenant):
    now = timezone.now()
    JobFactory(tenant=tenant, status="RUNNING", reason="RUNNING", dispatched_at=now)
    JobFactory(tenant=tenant, dispatched_at=now)
    JobFactory.create_batch(2, tenant=tenant)
    JobFactory(tenant=tenant, status="FAILED", finished_at=now - timedelta(minutes=59))
    JobFactory(tenant=tenant, status="FAILED", finished_at=now - timedelta(minutes=61))
    TenantFactory(is_active=False)
    answer = superuser.get(HOME)
    tiles = answer.context["tiles"]
    assert [(tile.count, tile.note) for tile in tiles] == [
        (1, "1 starting"),
        (2, "wait for a free slot"),
        (1, "each says why"),
        (1, "1 inactive, 0 paused"),
    ]
    for tile in tiles:
        assert superuser.get(tile.url).status_code == 200
    assert len(superuser.get(tiles[2].url).context["rows"]) == 1  # the same that is counted


def test_home_asks_few_questions(superuser, django_assert_max_num_queries):
    superuser.get(HOME)
    TenantFactory.create_batch(20)
    with django_assert_max_num_queries(18):  # session, user, recent actions, three of the tiles, attention's
        superuser.get(HOME)


def test_home_says_what_needs_the_operator_first(superuser, cluster_answers):
    text = superuser.get(HOME).content.decode()
    assert "The reconciler is silent" in text
    assert text.index("The reconciler is silent") < text.index("sk-tiles")
    now = timezone.now()
    ReconcilerState.objects.create(pk=1, pass_finished_at=now, last_success_at=now, cluster_reachable=True)
    assert "Nothing needs you." in superuser.get(HOME).content.decode()


@pytest.mark.parametrize("name", ["Support", "Quota editors", "Operators"])
def test_groups_come_with_the_migrations(name):
    held = set(Group.objects.get(name=name).permissions.values_list("codename", flat=True))
    look = {f"view_{name}" for name in ("tenant", "apikey", "member", "trustedissuer", "job", "scenario", "artifact")}
    look |= {"view_logentry", "view_cluster"}
    edit = {"add_tenant", "change_tenant", "add_apikey", "change_apikey", "add_plan", "change_plan", "add_planprice"}
    assert look <= held
    act = {"cancel_job", "rerun_job", "add_attentionsilence"}
    does = {"Quota editors": edit, "Operators": act}.get(name, set())
    assert {each for each in held if not each.startswith("view_")} == does


@pytest.mark.parametrize("who", ["superuser", "support", "quota_editor"])
def test_every_page_opens_without_inline_code(who, request, tenant):
    JobFactory(tenant=tenant)
    client = request.getfixturevalue(who)
    names = [
        "tenants_tenant",
        "tenants_apikey",
        "tenants_member",
        "simulations_job",
        "simulations_scenario",
        "admin_logentry",
    ]
    for url in [HOME, TENANT, *(reverse(f"admin:{name}_changelist") for name in names)]:
        answer = client.get(url)
        assert answer.status_code == 200
        text = answer.content.decode()
        assert "<script>" not in text
        assert " style=" not in text
        assert " onclick=" not in text


def test_accounts_are_for_superusers(quota_editor):
    assert quota_editor.get(reverse("admin:auth_user_changelist")).status_code == 403


def test_account_changes_are_in_the_history_without_passwords(superuser):
    form = {
        "username": "nina",
        "password1": "only-for-tests-1",
        "password2": "only-for-tests-1",
        "usable_password": "true",
    }
    superuser.post(reverse("admin:auth_user_add"), form)
    nina = User.objects.get(username="nina")
    group = Group.objects.get(name="Support")
    form = {"username": "nina", "is_active": "on", "is_staff": "on", "groups": [group.pk]}
    form |= {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    superuser.post(reverse("admin:auth_user_change", args=[nina.pk]), form)
    url = reverse("admin:auth_user_password_change", args=[nina.pk])
    superuser.post(url, {"password1": "only-for-tests-2", "password2": "only-for-tests-2", "usable_password": "true"})
    password, changed, added = LogEntry.objects.values_list("change_message", flat=True)
    assert added.startswith("username: nina")
    assert "is_staff: no → yes" in changed
    assert "groups: — → Support" in changed
    assert password == "password: changed"
    assert "only-for-tests" not in added + changed + password


def test_the_history_is_read_only(superuser, tenant):
    share = {"weight": 1, "max_priority_class": "normal"}
    superuser.post(
        TENANT, {"max_cpu": 3, "max_memory_gi": 20, "max_concurrent_jobs": 2, "max_queued_jobs": 100} | share
    )
    answer = superuser.get(reverse("admin:admin_logentry_changelist"))
    assert "max_cpu: 10 → 3; is_active: yes → no" in answer.content.decode()
    entry = LogEntry.objects.get()
    assert superuser.post(reverse("admin:admin_logentry_delete", args=[entry.pk])).status_code == 403


@pytest.mark.parametrize(
    ("applied", "problem", "words"),
    [
        (None, "", "made with the tenant"),
        ({"max_cpu": 10, "max_memory_gi": 20, "max_concurrent_jobs": 2}, "", "has these limits"),
        ({"max_cpu": 8, "max_memory_gi": 20, "max_concurrent_jobs": 2}, "", "still has max_cpu 8, not 10"),
        ({"max_cpu": 10}, "That namespace is not ours.", "not ours"),
        ({}, "That namespace is not ours.", "not ours"),
    ],
)
def test_whether_the_cluster_has_the_limits(support, tenant, applied, problem, words):
    if applied is not None:
        TenantNamespace.objects.create(tenant=tenant, namespace="city-a", applied=applied, problem=problem)
    assert words in support.get(TENANT).content.decode()
    fragment = support.get(QUOTA).content.decode()
    assert words in fragment
    assert ("hx-trigger" in fragment) is ("still has" in words)


def test_the_quota_fragment_is_for_staff(client, tenant):
    assert client.get(QUOTA).status_code == 302


def test_who_has_a_history_is_not_deleted(superuser):
    new, busy = (User.objects.create_user(name, is_staff=True) for name in ("new", "busy"))
    kind = ContentType.objects.get_for_model(User)
    LogEntry.objects.create(user=busy, content_type=kind, object_repr="x", action_flag=CHANGE)
    for user, status in ((new, 302), (busy, 403)):
        answer = superuser.post(reverse("admin:auth_user_delete", args=[user.pk]), {"post": "yes"})
        assert answer.status_code == status
    assert "delete_selected" not in superuser.get(reverse("admin:auth_user_changelist")).content.decode()
