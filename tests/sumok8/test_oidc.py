"""People sign in at an identity provider: their places follow its groups; nothing forged gets in."""

import urllib.parse
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from tenants.member_services import invite, join
from tenants.members import Member, Role
from tenants.models import Identity, Tenant, TrustedIssuer
from tests.issuer import Issuer, public
from tests.issuer import issuer as issuer
from tests.tenants.test_commands import run

pytestmark = pytest.mark.django_db
PEOPLE = TrustedIssuer.Purpose.PEOPLE


@pytest.fixture
def provider(issuer: Issuer, settings: Settings, tenant: Tenant) -> Issuer:
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = issuer.url, "sumok8", "s:cret"
    settings.OIDC_STAFF_GROUPS = {"ops": "Operators"}
    for group, role in (("looks", Role.VIEWER), ("plans", Role.ENGINEER)):
        given = {"issuer": issuer.url, "audience": "sumok8", "claims": {"groups": group}, "role": role}
        TrustedIssuer.objects.create(tenant=tenant, purpose=PEOPLE, **given)
    return issuer


def go(client: Client, provider: Issuer, *, back: dict[str, str] | None = None, to: str = "", **claims: Any) -> Any:
    """To the provider and back, as a browser does; `back` is said otherwise than a provider would."""
    left = client.get("/sign-in/oidc", {"next": to} if to else {})
    assert left.status_code == 302, left.content.decode()
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(left["Location"]).query))
    assert left["Location"].startswith(f"{provider.url}/authorization?")
    assert asked["code_challenge_method"] == "S256"
    provider.challenge = asked["code_challenge"]
    told = {"sub": "nora-1", "aud": "sumok8", "preferred_username": "nora", "nonce": asked["nonce"]}
    provider.claims = told | claims
    return client.get("/sign-in/oidc/back", {"code": "c", "state": asked["state"]} | (back or {}))


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_groups_give_and_take_places(provider: Issuer, tenant: Tenant, other_tenant: Tenant) -> None:
    client = Client()
    answer = go(client, provider, to="/t/city-a", groups=["looks", "plans"])
    assert (answer.status_code, answer["Location"]) == (302, "/t/city-a")
    assert client.get(reverse("portal:home", args=["city-a"])).status_code == 200
    assert provider.forms[0]["redirect_uri"] == "http://testserver/sign-in/oidc/back"
    user = User.objects.get()
    assert (user.username, user.has_usable_password(), user.is_staff) == ("nora", False, False)
    assert Member.objects.get().role == "engineer"
    Member.objects.create(tenant=other_tenant, user=user, role=Role.OWNER)  # by hand

    go(Client(), provider, groups=["looks"], preferred_username="renamed", iat=1)
    assert Member.objects.get(tenant=tenant).role == "viewer"
    go(client, provider, groups=[])
    assert list(Member.objects.values_list("tenant_id", "role")) == [("city-b", "owner")]
    assert User.objects.count() == Identity.objects.count() == 1


def test_what_is_given_by_hand_stays(provider: Issuer, tenant: Tenant, other_tenant: Tenant) -> None:
    """Also where groups had given a lower place before."""
    go(Client(), provider, groups=["looks"])
    user = User.objects.get()
    _, token = invite(tenant=tenant, role=Role.OWNER)
    join(token=token, user=user)
    Member.objects.create(tenant=other_tenant, user=user, by_groups=True)
    run("add_member", "city-b", "nora", "--role", "engineer")
    go(Client(), provider, groups=["plans"], iat=1)
    found = Member.objects.order_by("tenant_id").values_list("tenant_id", "role")
    assert list(found) == [("city-a", "owner"), ("city-b", "engineer")]


def test_staff_by_a_group(provider: Issuer) -> None:
    client = Client()
    go(client, provider, groups=["ops"])
    user = User.objects.get()
    assert (user.is_staff, user.is_superuser, user.groups.get().name) == (True, False, "Operators")
    assert client.get(reverse("cluster:jobs")).status_code == 200
    go(client, provider, groups=["looks"])
    user.refresh_from_db()
    assert (user.is_staff, user.groups.count()) == (False, 0)


def test_what_groups_gave_ends_when_no_group_gives_any_more(provider: Issuer, settings: Settings) -> None:
    client = Client()
    go(client, provider, groups=["ops", "looks"])
    settings.OIDC_STAFF_GROUPS = {}
    go(client, provider, groups=["ops", "looks"], iat=1)
    user = User.objects.get()
    assert (user.is_staff, user.groups.count()) == (False, 0)
    user.is_staff = True  # by hand
    user.save()
    go(client, provider, groups=["ops", "looks"], iat=2)
    user.refresh_from_db()
    assert user.is_staff


def test_a_name_at_the_provider_takes_no_account_over(provider: Issuer) -> None:
    root = User.objects.create_superuser("root", password="its-own")
    client = Client()
    go(client, provider, groups=["plans"], preferred_username="root")
    assert client.session["_auth_user_id"] != str(root.pk)
    assert User.objects.get(identities__subject="nora-1").username.startswith("root-")


def test_who_has_no_place_gets_no_account(provider: Issuer) -> None:
    answer = go(Client(), provider, groups=["others"])
    assert answer.status_code == 403
    assert "None of your groups leads to a tenant" in answer.content.decode()
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "back, claims",
    [
        ({"state": "another"}, {}),
        ({"state": ""}, {}),
        ({"iss": "https://elsewhere.example.org"}, {}),
        ({}, {"nonce": "another"}),
        ({}, {"aud": "another-client"}),
        ({}, {"aud": ["sumok8", "another-client"], "azp": "another-client"}),
        ({}, {"iss": "https://elsewhere.example.org"}),
        ({}, {"exp": 1}),
    ],
)
def test_what_does_not_fit_signs_nobody_in(provider: Issuer, back: dict[str, str], claims: dict[str, Any]) -> None:
    client = Client()
    answer = go(client, provider, back=back, groups=["plans"], **claims)
    assert answer.status_code in {400, 401}
    assert "Not signed in" in answer.content.decode()
    assert not signed_in(client)


def test_an_unsigned_token_and_another_key(provider: Issuer) -> None:
    client = Client()
    provider.id_token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJub3JhLTEifQ."
    assert go(client, provider, groups=["plans"]).status_code == 401
    provider.id_token = ""
    kept = provider.published
    provider.rotate("first")
    provider.published = kept
    assert go(client, provider, groups=["plans"]).status_code == 401
    provider.published = [public(provider.key, "first")]
    assert not signed_in(client)


def test_an_answer_counts_in_its_own_browser_and_once(provider: Issuer) -> None:
    client, other = Client(), Client()
    go(client, provider, groups=["plans"])
    again = {"code": "c", "state": "s"}
    assert client.get("/sign-in/oidc/back", again).status_code == 400
    assert other.get("/sign-in/oidc/back", again).status_code == 400


def test_a_provider_that_is_down_is_told_and_the_password_still_works(provider: Issuer) -> None:
    User.objects.create_superuser("root", password="its-own")
    provider.is_down = True
    client = Client()
    answer = client.get("/sign-in/oidc")
    assert answer.status_code == 503
    assert "does not answer at the moment" in answer.content.decode()
    assert client.post("/sign-in", {"username": "root", "password": "its-own"}).status_code == 302


def test_the_button_is_there_where_it_leads_somewhere(provider: Issuer, settings: Settings) -> None:
    page = Client().get("/sign-in?next=/t/city-a/").content.decode()
    assert 'href="/sign-in/oidc?next=/t/city-a/"' in page
    assert 'href="/sign-in/oidc?next=/admin/"' in Client().get("/admin/login/?next=/admin/").content.decode()
    assert go(Client(), provider, to="https://elsewhere.example.org/", groups=["plans"])["Location"] == "/"
    settings.OIDC_DEVICE_CLIENT_ID = "cli"
    told = Client().get("/.well-known/oauth-protected-resource").json()
    assert (told["authorization_servers"], told["device_client_id"]) == ([provider.url], "cli")
    settings.OIDC_ISSUER = ""
    assert Client().get("/.well-known/oauth-protected-resource").status_code == 404
    assert "oidc" not in (Client().get("/sign-in").content + Client().get("/admin/login/").content).decode()
    assert Client().get("/sign-in/oidc").status_code == 404
