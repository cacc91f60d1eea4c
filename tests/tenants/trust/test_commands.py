"""Trusting an issuer and no longer: safe to repeat, and wrong words are told."""

import json

import pytest
from django.core.management import CommandError
from pytest_django import Settings

from tenants.models import ApiKey, Tenant, TrustedIssuer
from tests.issuer import AUDIENCE, Issuer
from tests.issuer import issuer as issuer
from tests.tenants.test_commands import run

pytestmark = pytest.mark.django_db
TRUST = ("trust_issuer", "city-a", "--audience", AUDIENCE, "--claim", "ref=main", "--claim", "run=42")


def test_a_trusts_life(issuer: Issuer, tenant: Tenant) -> None:
    assert "publishes 1 key(s)" in run(*TRUST, "--issuer", issuer.url)
    run(*TRUST, "--issuer", issuer.url, "--role", "viewer")
    row = TrustedIssuer.objects.get()
    assert (row.role, row.claims) == ("viewer", {"ref": "main", "run": 42})
    assert issuer.url in run("list_trusted_issuers")
    assert json.loads(run("list_trusted_issuers", "--tenant", "city-a", "--json"))[0]["number"] == row.pk
    ApiKey.objects.issue(tenant=tenant, trust=row)
    assert "1 usable key(s) ended" in run("distrust_issuer", "city-a", str(row.pk))
    assert not ApiKey.objects.exists()
    assert "No issuer is trusted" in run("list_trusted_issuers")
    with pytest.raises(CommandError, match="no such number"):
        run("distrust_issuer", "city-a", str(row.pk))


def test_an_issuer_that_does_not_answer_is_trusted_and_told(issuer: Issuer, tenant: Tenant) -> None:
    issuer.is_down = True
    assert "cannot be read from here: The answer was 503." in run(*TRUST, "--issuer", issuer.url)


def test_people_come_from_the_provider_of_the_settings(issuer: Issuer, tenant: Tenant, settings: Settings) -> None:
    with pytest.raises(CommandError, match="Give --issuer"):
        run("trust_issuer", "city-a", "--people", "--claim", "groups=a")
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID = issuer.url, "sumok8"
    run("trust_issuer", "city-a", "--people", "--claim", "groups=a")
    row = TrustedIssuer.objects.get()
    assert (row.issuer, row.audience, row.purpose) == (issuer.url, "sumok8", "people")


@pytest.mark.parametrize(
    "arguments, says",
    [
        (("--issuer", "http://10.0.0.1", "--claim", "a=b"), "not a public one"),
        (("--issuer", "https://id.example.org"), "claims"),
        (("--issuer", "https://id.example.org", "--claim", "a"), "NAME=VALUE"),
        (("--issuer", "https://id.example.org", "--claim", "a=[1]"), "a text, a whole number"),
    ],
)
def test_wrong_words(tenant: Tenant, arguments: tuple[str, ...], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        run("trust_issuer", "city-a", "--audience", "x", *arguments)
