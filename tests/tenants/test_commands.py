"""The operators' commands: safe to repeat, and they say what they found."""

import json
import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command, load_command_class
from django.utils import timezone

from tenants.models import ApiKey, Tenant

pytestmark = pytest.mark.django_db
COMMANDS = [
    *("create_tenant", "create_api_key", "revoke_api_key", "list_tenants", "set_limits"),
    *("trust_issuer", "list_trusted_issuers", "distrust_issuer"),
]


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_create_tenant_prints_a_key_that_works():
    said = run("create_tenant", "city-a", "--max-cpu", "20", "--max-queued-jobs", "0", "--namespace", "sim-a")
    tenant = Tenant.objects.get()
    assert (tenant.namespace, tenant.max_cpu, tenant.max_memory_gi, tenant.max_queued_jobs) == ("sim-a", 20, 20, 0)
    key = re.search(r"sk8_\S{43}", said).group()
    assert ApiKey.objects.usable().get(digest=ApiKey.digest_of(key)).tenant == tenant


def test_create_tenant_twice_changes_nothing_and_says_so():
    run("create_tenant", "city-a", "--max-cpu", "20")
    said = run("create_tenant", "city-a", "--max-cpu", "20")
    assert "exists since" in said
    assert "sk8_" not in said
    assert ApiKey.objects.count() == 1


def test_create_tenant_with_other_limits_is_refused_with_the_way_on():
    run("create_tenant", "city-a", "--max-cpu", "20")
    with pytest.raises(CommandError, match=r"max_cpu is 20, not 30.*set_limits city-a"):
        run("create_tenant", "city-a", "--max-cpu", "30")
    assert Tenant.objects.get().max_cpu == 20


def test_create_tenant_for_scripts():
    first = json.loads(run("create_tenant", "city-a", "--json"))
    assert first["created"] is True
    assert first["api_key"].startswith("sk8_")
    second = json.loads(run("create_tenant", "city-a", "--json"))
    assert (second["created"], second["api_key"], second["max_cpu"]) == (False, None, 10)


def test_create_tenant_without_a_key():
    assert "sk8_" not in run("create_tenant", "city-a", "--no-key")
    assert not ApiKey.objects.exists()


def test_create_tenant_says_once_what_is_wrong_with_a_name():
    with pytest.raises(CommandError) as told:
        run("create_tenant", "Bad_ID")
    assert "1 to 40" in str(told.value)
    assert "1 to 63" not in str(told.value)


def test_create_tenant_lists_everything_wrong():
    with pytest.raises(CommandError) as refused:
        run("create_tenant", "City A", "--max-cpu", "0", "--max-memory-gi", "-1")
    assert "tenant_id:" in str(refused.value)
    assert "max_cpu: A tenant needs at least 1 CPU" in str(refused.value)
    assert "max_memory_gi:" in str(refused.value)
    assert not Tenant.objects.exists()


def test_create_api_key_for_a_tenant_and_for_admins(tenant):
    said = run("create_api_key", "--tenant", "city-a", "--label", "ci", "--expires-days", "90")
    assert "Usable keys now: 1" in said
    row = ApiKey.objects.get()
    assert (row.tenant, row.label, (row.expires_at - timezone.now()).days) == (tenant, "ci", 89)
    admin = json.loads(run("create_api_key", "--admin", "--json"))
    assert (admin["scope"], admin["tenant_id"], admin["expires_at"]) == ("admin", None, None)
    assert ApiKey.objects.get(digest=ApiKey.digest_of(admin["api_key"])).tenant is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tenant", "nowhere"], "There is no tenant nowhere"),
        (["--admin", "--expires-days", "0"], "whole number from 1"),
        (["--admin", "--expires-days", "99999999999"], "whole number from 1"),
        (["--admin", "--label", "x" * 101], "at most 100"),
        ([], "one of the arguments --tenant --admin is required"),
        (["--admin", "--tenant", "city-a"], "not allowed with"),
    ],
)
def test_create_api_key_refuses(tenant, arguments, said):
    with pytest.raises(CommandError, match=said):
        run("create_api_key", *arguments)
    assert not ApiKey.objects.exists()


def test_revoke_api_key_twice(tenant):
    row, _ = ApiKey.objects.issue(tenant=tenant)
    assert "Revoked the key" in run("revoke_api_key", row.prefix)
    assert "was revoked at" in run("revoke_api_key", row.prefix)
    assert not ApiKey.objects.usable().exists()


def test_revoke_api_key_refuses_what_is_not_one_key(tenant):
    row, key = ApiKey.objects.issue(tenant=tenant)
    with pytest.raises(CommandError, match="No API key begins with"):
        run("revoke_api_key", "sk8_nope____")
    with pytest.raises(CommandError, match="at least 8 characters"):
        run("revoke_api_key", "sk8_")
    with pytest.raises(CommandError, match="first 12 characters"):
        run("revoke_api_key", key)
    ApiKey.objects.create(tenant=tenant, scope="tenant", digest="other", prefix=row.prefix[:9] + "+++")
    with pytest.raises(CommandError, match="Several API keys"):
        run("revoke_api_key", row.prefix[:9])
    assert ApiKey.objects.usable().count() == 2


def test_list_tenants(tenant, other_tenant, django_assert_num_queries):
    assert ApiKey.objects.issue(tenant=tenant, label="ci")[0]
    ApiKey.objects.issue(tenant=None, label="ops")
    Tenant.objects.filter(pk="city-b").update(submissions_paused=True)
    said = run("list_tenants", "--keys")
    assert re.search(r"city-a +10 +20 +2 +100  -  +active\n  sk8_\S{8}…  usable   owner    never used  ci\n", said)
    assert re.search(r"city-b .*submissions paused", said)
    assert re.search(r"admins\n  sk8_\S{8}…  usable   owner    never used  ops", said)
    with django_assert_num_queries(2):
        listed = json.loads(run("list_tenants", "--json"))
    assert [row["tenant_id"] for row in listed] == ["city-a", "city-b"]
    assert listed[0]["api_keys"][0]["state"] == "usable"


def test_list_tenants_when_there_are_none():
    assert "create_tenant" in run("list_tenants")


def test_set_limits(tenant):
    assert "max_cpu 10 → 40" in run("set_limits", "city-a", "--max-cpu", "40", "--max-memory-gi", "20")
    assert "has these limits already" in run("set_limits", "city-a", "--max-cpu", "40")
    assert Tenant.objects.get().max_cpu == 40
    assert "weight 1 → 3" in run("set_limits", "city-a", "--weight", "3", "--max-priority-class", "high")
    assert Tenant.objects.get().max_priority_class == "high"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["city-a"], "Name at least one limit"),
        (["nowhere", "--max-cpu", "1"], "There is no tenant"),
        (["city-a", "--max-cpu", "0"], "at least 1 CPU"),
        (["city-a", "--max-cpu", "99999999999"], "max_cpu"),
        (["city-a", "--weight", "0"], "weight"),
        (["city-a", "--max-priority-class", "urgent"], "invalid choice"),
    ],
)
def test_set_limits_refuses(tenant, arguments, said):
    with pytest.raises(CommandError, match=said):
        run("set_limits", *arguments)
    assert Tenant.objects.get().max_cpu == 10


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_with_an_example(name):
    text = load_command_class("tenants", name).create_parser("manage.py", name).format_help()
    assert f"Example: manage.py {name}" in text
