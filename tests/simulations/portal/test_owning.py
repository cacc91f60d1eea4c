"""What owners do on the pages: keys, invitations, members."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from simulations.webhooks.models import Delivery, Endpoint
from tenants.accounts.tidying import tidy
from tenants.acting import acting
from tenants.members import Invitation, Member
from tenants.models import ApiKey, Tenant
from tests.conftest import client_with
from tests.factories import JobFactory
from tests.simulations.portal.conftest import Who

PASSWORD = "a sentence that nobody guesses"


@pytest.fixture
def owner(client_of: Who) -> Client:
    return client_of("owner")


def _invite(owner: Client, role: str = "engineer") -> str:
    page = owner.post("/t/city-a/members", {"role": role, "note": "for ann"}).content.decode()
    link = re.search(r"http://testserver(/join\?token=[\w-]+)", page)
    assert link
    return link[1]


def test_a_key_is_shown_once_works_and_is_revoked(owner: Client) -> None:
    page = owner.post("/t/city-a/keys", {"label": "ci", "role": "viewer", "expires_days": "30"}).content.decode()
    key = re.search(r"sk8_[\w-]{43}", page)
    assert key
    assert key[0] not in owner.get("/t/city-a/keys").content.decode()
    assert client_with(key[0]).get("/jobs").status_code == 200
    assert client_with(key[0]).post("/jobs", {}).status_code == 403
    address = f"/t/city-a/keys/{ApiKey.objects.get().pk}"
    successor = re.search(r"sk8_[\w-]{43}", owner.post(f"{address}/rotate").content.decode())
    assert successor
    assert client_with(successor[0]).get("/jobs").status_code == 200
    owner.post(f"{address}/revoke")
    assert client_with(key[0]).get("/jobs").status_code == 401
    assert "is revoked; issue a new one" in owner.post(f"{address}/rotate", follow=True).content.decode()


def test_an_invited_person_makes_an_account_and_the_link_is_used_up(owner: Client) -> None:
    link = _invite(owner)
    assert "for ann" in owner.get("/t/city-a/members").content.decode()
    guest, token = Client(), link.split("token=")[1]
    assert "Join city-a" in guest.get(link).content.decode()
    account = {"token": token, "username": "ann", "password1": PASSWORD, "password2": PASSWORD}
    weak = guest.post("/join", {**account, "password1": "ann", "password2": "ann"})
    assert (weak.status_code, User.objects.filter(username="ann").exists()) == (422, False)
    assert guest.post("/join", account)["Location"] == "/t/city-a"
    assert guest.get("/t/city-a/submit").status_code == 200
    told = owner.get("/t/city-a/changes").text
    assert told.count("ann, invited by owner<") == 2
    assert "used at: none → 20" in told
    assert "made by" not in told
    assert guest.get("/t/city-a/keys").status_code == 403
    assert Client().post("/join", {**account, "username": "bob"}).status_code == 404
    assert not User.objects.filter(username="bob").exists()


def test_somebody_signed_in_joins_as_who_they_are_and_keeps_the_higher_role(owner: Client, client_of: Who) -> None:
    other = client_of("other")
    for role in ("engineer", "viewer"):
        assert other.post("/join", {"token": _invite(owner, role).split("token=")[1]})["Location"] == "/t/city-a"
    assert Member.objects.get(tenant_id="city-a", user__username="other").role == "engineer"


@pytest.mark.parametrize("spoil", ["take back", "expire", "close"])
def test_an_invitation_that_is_over_leads_nowhere(owner: Client, spoil: str) -> None:
    link = _invite(owner)
    if spoil == "take back":
        owner.post(f"/t/city-a/invitations/{Invitation.objects.get().pk}/take-back")
    elif spoil == "expire":
        Invitation.objects.update(expires_at=timezone.now())
    else:
        Tenant.objects.update(is_active=False)
    assert Client().get(link).status_code == 404


def test_a_tenant_keeps_an_owner(owner: Client, client_of: Who) -> None:
    own = Member.objects.get()
    for act, form in (("role", {"role": "viewer"}), ("remove", {})):
        page = owner.post(f"/t/city-a/members/{own.pk}/{act}", form, follow=True).content.decode()
        assert "A tenant needs an owner" in page
    client_of("viewer")
    other = Member.objects.exclude(pk=own.pk).get()
    owner.post(f"/t/city-a/members/{other.pk}/role", {"role": "owner"})
    assert owner.post(f"/t/city-a/members/{own.pk}/remove")["Location"] == "/"
    assert owner.get("/t/city-a").status_code == 404


def test_a_webhook_shows_its_secret_once_is_tested_and_deleted(owner: Client) -> None:
    refused = owner.post("/t/city-a/webhooks", {"url": "http://10.0.0.1/"})
    assert (refused.status_code, Endpoint.objects.count()) == (422, 0)
    page = owner.post("/t/city-a/webhooks", {"url": "https://a.example/hook", "events": ["job.failed"]})
    endpoint = Endpoint.objects.get()
    assert endpoint.secret in page.content.decode()
    acts = f"/t/city-a/webhooks/{endpoint.pk}"
    page = owner.post(acts, {"act": "test"}, follow=True).content.decode()
    assert "A test is on its way" in page
    assert endpoint.secret not in page
    waits = owner.get("/t/city-a/webhooks/sent")
    assert (waits.status_code, "is being sent" in waits.text, "every 3s" in waits.text) == (200, True, True)
    Delivery.objects.update(tries=1, next_try_at=timezone.now() + timedelta(minutes=5))
    assert "next try <time" in owner.get("/t/city-a/webhooks/sent").text
    Delivery.objects.update(state="DELIVERED")
    ended = owner.get("/t/city-a/webhooks/sent")
    assert (ended.status_code, "every 3s" in ended.text) == (286, False)
    before = endpoint.secret
    page = owner.post(acts, {"act": "rotate"}).content.decode()
    endpoint.refresh_from_db()
    assert endpoint.secrets == [endpoint.secret, before]
    assert endpoint.secret in page
    assert before not in page
    JobFactory(tenant=endpoint.tenant).move_to("FAILED", reason="SUMO_FAILED", message="It failed.")
    assert "in the last day: 1." in owner.post(acts, {"act": "replay"}, follow=True).content.decode()
    endpoint.disable("It failed for days.")
    assert "It failed for days." in owner.get("/t/city-a/webhooks").content.decode()
    owner.post(acts, {"act": "resume"})
    assert Endpoint.objects.get().is_active
    owner.post(acts, {"act": "delete"})
    assert not Endpoint.objects.exists()


def test_commands(tenant: Tenant, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("add_member", "city-a", "ann", "--role", "owner", "--email", "ann@example.org")
    assert User.objects.get(username="ann").email == "ann@example.org"
    password = re.search(r"Password \(shown only now\): (\S+)", capsys.readouterr().out)
    assert password
    signed_in = Client().post("/sign-in", {"username": "ann", "password": password[1]})
    assert (signed_in.status_code, signed_in["Location"]) == (302, "/")
    call_command("add_member", "city-a", "ann", "--role", "viewer")
    call_command("list_members")
    assert re.search(r"city-a +viewer +ann", capsys.readouterr().out)
    call_command("remove_member", "city-a", "ann")
    assert not Member.objects.exists()


def test_a_new_password_ends_other_sessions(tenant: Tenant) -> None:
    Member.objects.create(tenant=tenant, user=User.objects.create_user("ann", password=PASSWORD))
    here, elsewhere = Client(), Client()
    for client in (here, elsewhere):
        client.post("/sign-in", {"username": "ann", "password": PASSWORD})
    new = "another sentence that nobody guesses"
    here.post("/password", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})
    assert "signed out everywhere else" in here.get("/account").content.decode()
    assert elsewhere.get("/t/city-a").status_code == 302


def test_an_invitation_goes_by_mail_and_its_address_becomes_the_accounts(owner: Client, settings) -> None:
    assert "Mail to" not in owner.get("/t/city-a/members").text
    settings.EMAIL_URL = "smtp://mail.example.org"
    asked = {"role": "viewer", "note": "", "email": "ann@example.org"}
    assert "It is mailed to ann@example.org" in owner.post("/t/city-a/members", asked).text
    assert "letter on its way" in owner.get("/t/city-a/members").text
    call_command("notify", "--once")
    assert "mailed" in owner.get("/t/city-a/members").text
    [letter] = mail.outbox
    link = re.search(r"http://testserver(/join\S+)", str(letter.body))
    assert link
    guest = Client()
    token = re.search(r'name="token" value="([^"]+)"', guest.get(link[1]).text)
    assert token
    account = {"token": token[1], "username": "ann", "password1": PASSWORD, "password2": PASSWORD}
    assert guest.post("/join", account)["Location"] == "/t/city-a"
    assert User.objects.get(username="ann").email == "ann@example.org"
    assert Client().get(link[1]).status_code == 404
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=31))
    assert tidy() == (0, 1)


def test_a_role_that_an_owner_gave_is_given_by_hand(owner: Client, tenant: Tenant) -> None:
    member = Member.objects.create(tenant=tenant, user=User.objects.create_user("ann"), by_groups=True)
    owner.post(f"/t/city-a/members/{member.pk}/role", {"role": "engineer"})
    assert not Member.objects.get(pk=member.pk).by_groups


def test_limits_hold_for_successors_too(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenants.services.MAX_USABLE_KEYS", 1)
    owner.post("/t/city-a/keys", {"label": "one", "role": "viewer"})
    key = ApiKey.objects.get()
    again = owner.post("/t/city-a/keys", {"label": "two", "role": "viewer"})
    successor = owner.post(f"/t/city-a/keys/{key.pk}/rotate", follow=True)
    assert "1 keys are usable already" in again.text
    assert "1 keys are usable already" in successor.text
    assert ApiKey.objects.count() == 1


def test_owners_see_who_changed_what_but_not_which_of_the_staff(client_of: Who, tenant: Tenant) -> None:
    with acting(lambda: "otto-of-staff", lambda: "admin"):
        Tenant.objects.filter(pk=tenant.pk).update(max_cpu=33)
    owner = client_of("owner")
    owner.post("/t/city-a/keys", {"label": "ci", "role": "engineer"})
    page = owner.get("/t/city-a/changes").content.decode()
    assert "CPU limit: 10 → 33" in page
    assert "the operator" in page
    assert "otto-of-staff" not in page
    assert '<td>owner<span class="sub">on the tenant&#x27;s pages</span></td>' in page
