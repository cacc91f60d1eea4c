"""Signing in: at an identity provider, with a CI system's token, by key; and where that is kept."""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import Result
from pytest_django import Settings

from client import profiles, transport
from tenants.models import ApiKey, Tenant, TrustedIssuer
from tests.issuer import AUDIENCE, Issuer
from tests.issuer import issuer as issuer

pytestmark = pytest.mark.django_db(transaction=True)
Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def _by_profile(monkeypatch: pytest.MonkeyPatch, sumok8: Run) -> None:
    """Nothing in the environment but the address; pauses take no time."""
    monkeypatch.delenv("SUMOK8_API_KEY")
    monkeypatch.setattr(transport.time, "sleep", lambda seconds: None)


@pytest.fixture
def url() -> str:
    return os.environ["SUMOK8_URL"]


@pytest.fixture
def trust(issuer: Issuer, tenant: Tenant) -> TrustedIssuer:
    return TrustedIssuer.objects.create(tenant=tenant, issuer=issuer.url, audience=AUDIENCE, claims={"ref": "main"})


@pytest.fixture
def people(issuer: Issuer, tenant: Tenant, settings: Settings) -> TrustedIssuer:
    """Planners may sign in from their terminals."""
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_DEVICE_CLIENT_ID = issuer.url, "sumok8", "cli"
    issuer.groups = ["planners"]
    return TrustedIssuer.objects.create(tenant=tenant, issuer=issuer.url, audience="cli", claims={"groups": "planners"})


def expire() -> None:
    """The kept key ends now, as the client sees it."""
    kept = json.loads(profiles.file().read_text())
    for row in [*kept["profiles"].values(), *kept.get("traded", {}).values()]:
        row["ends_at"] = time.time()
    profiles.file().write_text(json.dumps(kept))


def test_a_person_signs_in_at_the_provider(sumok8: Run, url: str, issuer: Issuer, people: TrustedIssuer) -> None:
    issuer.device = ["authorization_pending", "slow_down"]
    told = sumok8("login", url)
    assert told.exit_code == 0, told.output
    assert f"Open {issuer.url}/enter and enter the code WDJB" in told.stderr
    assert "Tenant city-a" in sumok8("limits").output
    [key] = ApiKey.objects.filter(trust=people)
    assert key.label == "token: nora-1"
    expire()
    assert sumok8("ls").exit_code == 0
    assert [form["grant_type"] for form in issuer.forms[-1:]] == ["refresh_token"]
    assert ApiKey.objects.filter(trust=people).count() == 2
    assert issuer.url in sumok8("profiles").stdout
    expire()
    issuer.refreshed += 1  # somebody signed this person out
    over = sumok8("ls")
    assert (over.exit_code, "has ended. Sign in again" in over.stderr) == (2, True)
    assert sumok8("logout").exit_code == 0
    assert "/revocation" in issuer.asked
    assert sumok8("logout").exit_code == 2
    assert "refresh" not in profiles.file().read_text()


@pytest.mark.parametrize("answer", ["access_denied", "expired_token"])
def test_a_person_who_does_not_agree(sumok8: Run, url: str, issuer: Issuer, people: TrustedIssuer, answer: str) -> None:
    issuer.device = [answer]
    assert sumok8("login", url).exit_code == 2
    assert not profiles.file().exists()


def test_who_is_nowhere_trusted_gets_no_key(sumok8: Run, url: str, issuer: Issuer, people: TrustedIssuer) -> None:
    issuer.groups = ["gardeners"]
    told = sumok8("login", url)
    assert (told.exit_code, "not those that are trusted" in told.stderr) == (2, True)


def test_one_token_serves_several_commands(
    sumok8: Run, url: str, issuer: Issuer, trust: TrustedIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUMOK8_TOKEN", issuer.token(ref="main"))
    assert [sumok8("ls").exit_code for _ in range(2)] == [0, 0]
    assert profiles.file().stat().st_mode & 0o777 == 0o600
    kept = json.loads(profiles.file().read_text())
    assert os.environ["SUMOK8_TOKEN"] not in json.dumps(kept)
    profiles.file().unlink()
    spent = sumok8("ls")
    assert (spent.exit_code, "SUMOK8_TOKEN_FILE" in spent.stderr) == (2, True)
    assert ApiKey.objects.filter(trust=trust).count() == 1


@pytest.mark.parametrize("way", ["file", "command", "runner"])
def test_a_ci_system_that_gives_more_tokens(
    sumok8: Run, url: str, issuer: Issuer, trust: TrustedIssuer, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    TrustedIssuer.objects.filter(pk=trust.pk).update(claims={"sub": "repo:city/model"})
    kept = Path("token")
    for number in range(2):
        kept.write_text(issuer.token(jti=str(number)))
        if way == "file":
            monkeypatch.setenv("SUMOK8_TOKEN_FILE", "token")
        elif way == "command":
            monkeypatch.setenv("SUMOK8_TOKEN_COMMAND", f"{sys.executable} -c \"print(open('token').read())\"")
        else:
            monkeypatch.setenv("SUMOK8_AUDIENCE", AUDIENCE)
            monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{issuer.url}/runner")
            monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-the-runner")
        assert sumok8("ls").exit_code == 0
    assert ApiKey.objects.filter(trust=trust).count() == 2
    assert not profiles.file().exists()


def test_a_login_by_token_ends(
    sumok8: Run, url: str, issuer: Issuer, trust: TrustedIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUMOK8_TOKEN", issuer.token(ref="main"))
    assert sumok8("login", url, "--token-exchange").exit_code == 0
    again = sumok8("login", url, "--token-exchange", "--tenant", "city-a")
    assert (again.exit_code, "was used before" in again.output) == (2, True)
    monkeypatch.delenv("SUMOK8_TOKEN")
    assert sumok8("ls").exit_code == 0
    expire()
    assert "Sign in again: sumok8 login" in sumok8("ls").stderr


def test_keys_lie_in_a_keyring_that_works(sumok8: Run, url: str, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ring: dict[tuple[str, str], str] = {}
    backend = SimpleNamespace(
        priority=5,
        set_password=lambda service, name, secret: ring.update({(service, name): secret}),
        get_password=lambda service, name: ring.get((service, name)),
        delete_password=lambda service, name: ring.pop((service, name)),
    )
    monkeypatch.setitem(sys.modules, "keyring", SimpleNamespace(get_keyring=lambda: backend))
    assert "in the system's keyring" in sumok8("login", url, input=f"{key}\n").stdout
    assert key not in profiles.file().read_text()
    assert sumok8("ls").exit_code == 0
    profiles.file().write_text(profiles.file().read_text().replace(url, "http://127.0.0.1:9"))
    monkeypatch.delenv("SUMOK8_URL")
    assert "does not give the key" in sumok8("ls").stderr  # which was stored for another address
    assert "does not give the key" in sumok8("profiles").stdout
    assert sumok8("login", url, input=f"{key}\n").exit_code == 0
    backend.priority = 0.5  # plain text
    assert f"in {profiles.file()}" in sumok8("login", url, "--name", "two", input=f"{key}\n").stdout
    listed: Any = json.loads(sumok8("profiles", "--json").stdout)
    assert [(row["profile"], row["used"]) for row in listed] == [("default", False), ("two", True)]
    assert sumok8("profiles", "--use", "three").exit_code == 2
    assert sumok8("logout", "two").exit_code == 0
    assert "two" not in profiles.file().read_text()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(sumok8: Run, shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert f"_SUMOK8_COMPLETE={shell}_complete" in sumok8("completion", shell).stdout
