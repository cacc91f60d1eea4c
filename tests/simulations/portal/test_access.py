"""Every address of the portal, for everybody, by GET and POST."""

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from simulations.portal import urls
from simulations.studies.models import Study
from simulations.webhooks.models import Endpoint
from tenants.members import Invitation, Member, Role
from tenants.models import ApiKey, Tenant
from tests.factories import JobFactory
from tests.simulations.portal.conftest import Who

STUDY_PAGES = {"studies", "study", "study-now", "study-compare", "study-curves", "compare"}
PAGES = {
    "home",
    "home-now",
    "jobs",
    "job",
    "job-now",
    "job-log",
    "job-numbers",
    "scenarios",
    "scenario",
    "scenario-rows",
    "glance",
    "scenario-network",
} | STUDY_PAGES
FILES = {
    "job-simulated",
    "job-travel-times",
    "job-file",
    "job-zip",
    "job-map-network",
    "job-map-edges",
    "job-map-curve",
    "study-map-network",
    "study-map-edges",
    "study-map-curve",
    "archive",
    "study-file",
}  # 404 here: the factory's job has none
NEED_A_QUERY = {"job-map-curve", "study-map-curve"}  # which edge
LOOKED_AT = PAGES | FILES
CHANGED_BY_ENGINEERS = {
    "upload",
    "sample",
    "job-cancel",
    "job-again",
    "scenario-delete",
    "share",
    "share-end",
    "study-act",
}
LOOKED_AT_BY_OWNERS = {"changes", "webhooks-sent"}
CHANGED_BY_OWNERS = {"key-revoke", "key-rotate", "member-role", "member-remove", "invitation-take-back", "webhook"}
ASKED = {
    "primary_kpis": ["mean_time_loss_s"], "relevant_difference": 0.02, "max_failed_share": 0.2, "precision": None,
    "max_parallel": None,
}  # fmt: skip
FORMS = {
    "submit": Role.ENGINEER, "study-new": Role.ENGINEER, "keys": Role.OWNER, "members": Role.OWNER,
    "webhooks": Role.OWNER,
}  # fmt: skip
APART = {"join", "may-upload", "shared"}  # of no tenant; asked by the proxy; for whoever has the link


@pytest.fixture
def address_of(tenant: Tenant) -> dict[str, str]:
    """By the name of the view, of things of `tenant` that are there."""
    report = {"begin": 0, "end": 100, "problems": []}
    inspection = {"config": "run.sumocfg", "configs": {"run.sumocfg": report}}
    job = JobFactory(tenant=tenant, scenario__inspection=inspection)
    study = Study.objects.create(tenant=tenant, seeds=[1], request=ASKED)
    somebody = Member.objects.create(tenant=tenant, user=_user("somebody"))
    _token, digest, ends = Invitation.new_token()
    invitation = Invitation.objects.create(tenant=tenant, digest=digest, expires_at=ends)
    found = {
        "tenant_id": tenant.pk,
        "job_id": job.pk,
        "scenario_id": job.scenario.scenario_id,
        "name": "tripinfo.xml",
        "study_id": study.pk,
        "act": "pause",
        "share_id": 1,
        "key_id": ApiKey.objects.issue(tenant=tenant)[0].pk,
        "member_id": somebody.pk,
        "invitation_id": invitation.pk,
        "endpoint_id": Endpoint.objects.create(tenant=tenant, url="https://a.example/hook").pk,
    }
    names = {each.name: each.pattern for each in urls.urlpatterns}
    return {
        name: reverse(f"portal:{name}", kwargs={each: found[each] for each in pattern.regex.groupindex})
        for name, pattern in names.items()
    }


def _user(name: str):
    from django.contrib.auth.models import User

    return User.objects.create_user(name)


def _status(client: Client, method: str, address: str) -> int:
    form = "role=viewer" if address.endswith("/role") else ""
    return client.generic(method, address, form, content_type="application/x-www-form-urlencoded").status_code


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    from simulations import logs

    monkeypatch.setattr(logs, "_read", lambda job: logs.LogView("", "No log yet."))


def test_every_address_is_sorted(address_of: dict[str, str]) -> None:
    assert (
        set(address_of)
        == LOOKED_AT | LOOKED_AT_BY_OWNERS | CHANGED_BY_ENGINEERS | CHANGED_BY_OWNERS | set(FORMS) | APART
    )


@pytest.mark.parametrize("who", ["anonymous", "stranger", "other", "bare staff"])
def test_others_find_nothing(client_of: Who, address_of: dict[str, str], who: str) -> None:
    client = client_of(who)
    expected = 302 if who == "anonymous" else 404
    for name in address_of.keys() - APART:
        answers = {_status(client, method, address_of[name]) for method in ("GET", "POST")}
        assert answers <= {expected, 405}, name
        assert expected in answers, name
    assert _status(client, "GET", address_of["may-upload"]) == (401 if who == "anonymous" else 403)
    assert _status(client, "GET", address_of["join"]) == 404


@pytest.mark.parametrize("who", ["viewer", "engineer", "owner", "staff"])
def test_each_role_may_what_it_may(client_of: Who, address_of: dict[str, str], who: str) -> None:
    client = client_of(who)
    role = Role.VIEWER if who == "staff" else Role(who)
    for name in LOOKED_AT:
        expected = 400 if name in NEED_A_QUERY else 404 if name in FILES else 200
        assert _status(client, "GET", address_of[name]) == expected, name
        assert _status(client, "POST", address_of[name]) == 405, name
    for name in LOOKED_AT_BY_OWNERS:
        status = 286 if name.endswith("-sent") else 200  # nothing is on its way: no more polling
        assert _status(client, "GET", address_of[name]) == (status if role.covers(Role.OWNER) else 403), name
    for name, needed in FORMS.items():
        assert _status(client, "GET", address_of[name]) == (200 if role.covers(needed) else 403), name
        assert _status(client, "POST", address_of[name]) == (422 if role.covers(needed) else 403), name
    for names, needed in ((CHANGED_BY_ENGINEERS, Role.ENGINEER), (CHANGED_BY_OWNERS, Role.OWNER)):
        for name in names:
            assert _status(client, "GET", address_of[name]) == 405, name
            assert (_status(client, "POST", address_of[name]) == 403) != role.covers(needed), name
    assert _status(client, "GET", address_of["may-upload"]) == (204 if role.covers(Role.ENGINEER) else 403)


def test_another_tenants_things_are_not_found_under_ones_own_name(client_of: Who, address_of: dict[str, str]) -> None:
    client = client_of("other")
    for name in address_of.keys() - APART - LOOKED_AT_BY_OWNERS - set(FORMS):
        if address_of[name].count("/") > 3:
            address = address_of[name].replace("/t/city-a/", "/t/city-b/")
            method = "POST" if name in CHANGED_BY_ENGINEERS | CHANGED_BY_OWNERS else "GET"
            assert _status(client, method, address) == 404, name
    assert _status(client, "GET", f"/t/city-b/jobs/{uuid.uuid4()}") == 404


def test_an_inactive_tenant_is_closed_but_to_staff(client_of: Who, tenant: Tenant) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(is_active=False)
    assert client_of("owner").get("/t/city-a").status_code == 403
    assert client_of("staff").get("/t/city-a").status_code == 200


def test_the_signed_out_come_back_after_the_sign_in(client_of: Who) -> None:
    answer = client_of("anonymous").get("/t/city-a/jobs")
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in?next=/t/city-a/jobs")


def test_the_front_door_leads_to_ones_place(client_of: Who, tenant: Tenant) -> None:
    viewer = client_of("viewer")
    assert viewer.get("/")["Location"] == "/t/city-a"
    assert client_of("staff").get("/")["Location"] == "/cluster/"
    assert "belongs to no active tenant" in client_of("stranger").get("/").content.decode()
    Tenant.objects.filter(pk=tenant.pk).update(is_active=False)  # whose pages are a 403 that says nothing
    assert "belongs to no active tenant" in viewer.get("/").content.decode()
