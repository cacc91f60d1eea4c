"""Letters to people, taken by a mail server over a socket."""

import re

import environ
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from tenants.accounts import letters
from tenants.accounts.models import Letter
from tenants.members import Member
from tenants.models import Tenant
from tests.smtp_sink import Sink
from tests.smtp_sink import smtp_sink as smtp_sink

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(settings: Settings, smtp_sink: Sink) -> Sink:
    """As an EMAIL_URL with a name and a password sets it."""
    settings.EMAIL_URL = f"smtp://mailer:let+me%2Fin@127.0.0.1:{smtp_sink.port}"
    for name, value in environ.Env.email_url_config(settings.EMAIL_URL).items():
        setattr(settings, name, value)
    return smtp_sink


@pytest.fixture
def owner(tenant: Tenant) -> Client:
    user = User.objects.create_user("ann", "ann@example.org", "a sentence that nobody guesses")
    Member.objects.create(tenant=tenant, user=user, role="owner")
    client = Client()
    client.force_login(user)
    return client


def test_a_password_and_an_invitation_are_mailed(server: Sink, owner: Client, tenant: Tenant) -> None:
    assert Client().post("/password/forgotten", {"email": "ann@example.org"}).status_code == 200
    asked = {"role": "viewer", "note": "", "email": "bea@example.org"}
    assert owner.post(f"/t/{tenant.pk}/members", asked).status_code == 200
    assert letters.send_due() == 2
    sent = dict(zip([to for [to] in server.recipients], server.messages, strict=True))
    assert set(sent) == {"ann@example.org", "bea@example.org"}
    assert set(server.senders) == {"sumok8@localhost"}
    assert server.signed_in == ["\0mailer\0let+me/in"] * 2
    for letter in sent.values():
        assert letter["Auto-Submitted"] == "auto-generated"
        link = re.search(r"http://testserver(/\S+)", letter.get_content())
        assert link, letter
        assert Client().get(link[1]).status_code == 200


def test_a_letter_outlives_its_server(server: Sink, owner: Client, settings: Settings) -> None:
    Client().post("/password/forgotten", {"email": "ann@example.org"})
    settings.EMAIL_PORT = 1
    assert (letters.send_due(), Letter.objects.filter(sent_at=None).count()) == (0, 1)
    settings.EMAIL_PORT = server.port
    Letter.objects.update(next_try_at=timezone.now())
    assert letters.send_due() == 1
    assert len(server.messages) == 1
