"""Mail: the first at once, what follows in one message; a mail server that is away loses nothing."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from simulations.models import Notice
from simulations.webhooks import mail
from simulations.webhooks.models import Endpoint, Mailbox
from tenants.members import Member
from tenants.models import Tenant
from tests.smtp_sink import Sink
from tests.smtp_sink import smtp_sink as smtp_sink

pytestmark = pytest.mark.django_db
BUDGET = {"period": "2026-11", "percent": 80, "used": "80.10", "limit": "100.00", "currency": "EUR", "on_reach": "hold"}
BUDGET |= {"jobs_wait": False}


@pytest.fixture
def owner(tenant: Tenant, smtp_sink: Sink) -> Tenant:
    tenant.contact_email = "owner@example.org"
    tenant.save()
    return tenant


def notice(tenant: Tenant, kind: str = "budget.reached", data: Any = BUDGET) -> Notice:
    return Notice.objects.create(tenant=tenant, kind=kind, data=data, awaits_mail=True)


def text_of(sink: Sink) -> str:
    """Of the last message, as one line."""
    return " ".join(sink.messages[-1].get_content().split())


def test_the_first_at_once_and_what_follows_in_one(owner: Tenant, smtp_sink: Sink) -> None:
    notice(owner)
    assert mail.step() == 1
    assert smtp_sink.recipients == [["owner@example.org"]]
    assert smtp_sink.messages[0]["Auto-Submitted"] == "auto-generated"
    said = text_of(smtp_sink)
    assert "80.10 of 100.00 EUR of the budget of 2026-11 are used, 80 % reached. Jobs beyond it wait." in said
    endpoint = Endpoint.objects.create(tenant=owner, url="https://example.org/told")
    endpoint.disable("It answered 410: it is gone.")
    notice(owner, "key.expiring", {"prefix": "sk8_abcd", "label": "ci", "expires_at": "2026-12-01T10:00:00+00:00"})
    assert mail.step() == 0
    Mailbox.objects.update(rests_until=timezone.now())
    assert mail.step() == 1
    assert smtp_sink.messages[-1]["Subject"] == "SUMO-K8, tenant city-a: 2 messages"
    assert "https://example.org/told is called no more: It answered 410" in text_of(smtp_sink)
    assert "sk8_abcd… (ci) expires on 2026-12-01T10:00 UTC" in text_of(smtp_sink)
    assert not Notice.objects.filter(awaits_mail=True).exists()


def test_a_mail_server_that_is_away_or_busy_is_tried_again(owner: Tenant, smtp_sink: Sink, settings: Any) -> None:
    settings.EMAIL_PORT = 1
    notice(owner)
    assert mail.step() == 0
    settings.EMAIL_PORT, smtp_sink.refusal = smtp_sink.port, "451 Later."
    Mailbox.objects.update(rests_until=timezone.now())
    assert mail.step() == 0
    assert Notice.objects.filter(awaits_mail=True).count() == 1
    smtp_sink.refusal = ""
    Mailbox.objects.update(rests_until=timezone.now())
    assert mail.step() == 1


def test_mailboxes_that_rest_take_no_place_from_the_others(
    owner: Tenant, other_tenant: Tenant, smtp_sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "BATCH", 1)
    other_tenant.contact_email = "other@example.org"
    other_tenant.save()
    Mailbox.objects.create(tenant=owner, rests_until=timezone.now() + mail.RESTS)
    notice(owner)
    notice(other_tenant)
    assert mail.step() == 1
    assert smtp_sink.recipients == [["other@example.org"]]


def test_without_a_contact_address_its_owners_are_told(owner: Tenant, smtp_sink: Sink) -> None:
    Tenant.objects.update(contact_email="")
    for name, role, email in (("ann", "owner", "ann@example.org"), ("bob", "owner", ""), ("cy", "viewer", "cy@a.org")):
        Member.objects.create(tenant=owner, user=User.objects.create_user(name, email=email), role=role)
    notice(owner)
    assert mail.step() == 1
    assert smtp_sink.recipients == [["ann@example.org"]]
    assert "you own the tenant" in text_of(smtp_sink)


def test_nothing_without_a_server_an_address_or_what_is_new(owner: Tenant, settings: Any) -> None:
    old = notice(owner)
    Notice.objects.filter(pk=old.pk).update(at=timezone.now() - timedelta(days=3))
    assert mail.step() == 0
    notice(owner)
    settings.EMAIL_URL = ""
    assert mail.step() == 0
    settings.EMAIL_URL = "smtp://mail.example.org"
    Tenant.objects.update(contact_email="")
    assert mail.step() == 0
