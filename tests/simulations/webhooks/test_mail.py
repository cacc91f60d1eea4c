"""Mail: the first at once, what follows in one message; a mail server that is away loses nothing."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail as outbox_of_django
from django.utils import timezone

from simulations.models import Notice
from simulations.webhooks import mail
from simulations.webhooks.models import Endpoint, Mailbox
from tenants.models import Tenant

pytestmark = pytest.mark.django_db
BUDGET = {"period": "2026-11", "percent": 80, "used": "80.10", "limit": "100.00", "currency": "EUR", "on_reach": "hold"}
BUDGET |= {"jobs_wait": False}


@pytest.fixture
def owner(tenant: Tenant, settings: Any) -> Tenant:
    settings.EMAIL_URL = "smtp://mail.example.org"  # pytest-django keeps what is sent
    tenant.contact_email = "owner@example.org"
    tenant.save()
    return tenant


def notice(tenant: Tenant, kind: str = "budget.reached", data: Any = BUDGET) -> Notice:
    return Notice.objects.create(tenant=tenant, kind=kind, data=data, awaits_mail=True)


def test_the_first_at_once_and_what_follows_in_one(owner: Tenant) -> None:
    notice(owner)
    assert mail.step() == 1
    [sent] = outbox_of_django.outbox
    assert sent.to == ["owner@example.org"]
    assert "80.10 of 100.00 EUR of the budget of 2026-11 are used, 80 % reached. Jobs beyond it wait." in sent.body
    endpoint = Endpoint.objects.create(tenant=owner, url="https://example.org/told")
    endpoint.disable("It answered 410: it is gone.")
    notice(owner, "key.expiring", {"prefix": "sk8_abcd", "label": "ci", "expires_at": "2026-12-01T10:00:00+00:00"})
    assert mail.step() == 0
    Mailbox.objects.update(rests_until=timezone.now())
    assert mail.step() == 1
    last = outbox_of_django.outbox[-1]
    assert last.subject == "SUMO-K8, tenant city-a: 2 messages"
    assert "https://example.org/told is called no more: It answered 410" in last.body
    assert "sk8_abcd… (ci) expires on 2026-12-01T10:00 UTC" in last.body
    assert not Notice.objects.filter(awaits_mail=True).exists()


def test_a_mail_server_that_is_away_is_tried_again(owner: Tenant, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    notice(owner)
    assert mail.step() == 0
    assert Notice.objects.filter(awaits_mail=True).count() == 1
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    Mailbox.objects.update(rests_until=timezone.now())
    assert mail.step() == 1


def test_mailboxes_that_rest_take_no_place_from_the_others(
    owner: Tenant, other_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "BATCH", 1)
    other_tenant.contact_email = "other@example.org"
    other_tenant.save()
    Mailbox.objects.create(tenant=owner, rests_until=timezone.now() + mail.RESTS)
    notice(owner)
    notice(other_tenant)
    assert mail.step() == 1
    assert [sent.to for sent in outbox_of_django.outbox] == [["other@example.org"]]


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
