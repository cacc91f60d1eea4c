"""Guessing a staff password is slowed down, for that name and address only."""

from contextlib import ExitStack
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tenants.accounts import password_turns

LOGIN = "/admin/login/"
EVERYBODYS = "/sign-in"


def sign_in(client: Client, username: str, password: str, address: str = LOGIN):
    return client.post(address, {"username": username, "password": password})


@pytest.mark.parametrize("address", [LOGIN, EVERYBODYS])
def test_ten_wrong_passwords_lock_a_name_out(client: Client, db: None, address: str) -> None:
    for name in ("ann", "bob"):
        User.objects.create_superuser(name, password="right-for-both")
    answers = [sign_in(client, "ann", f"wrong-{n}", address).status_code for n in range(10)]
    assert answers == [200] * 9 + [429]
    refused = sign_in(client, "ann", "right-for-both", address)
    assert refused.status_code == 429
    assert "locked for a quarter of an hour" in refused.content.decode()
    assert sign_in(client, "bob", "right-for-both", address).status_code == 302


def test_a_right_password_forgets_the_wrong_ones(client: Client, db: None) -> None:
    User.objects.create_superuser("ann", password="right")
    for _ in range(2):
        for n in range(9):
            assert sign_in(client, "ann", f"wrong-{n}").status_code == 200
        assert sign_in(client, "ann", "right").status_code == 302


@pytest.mark.parametrize("address", [LOGIN, EVERYBODYS])
def test_one_address_tries_no_password_on_many_names(client: Client, db: None, address: str, settings: Any) -> None:
    settings.RATE_LIMIT_FAILED_KEYS_PER_MINUTE = 3
    User.objects.create_superuser("ann", password="right")
    for n in range(3):
        assert "Too many sign-ins" not in sign_in(client, f"name-{n}", "right", address).content.decode()
    assert "Too many sign-ins from your address" in sign_in(client, "ann", "right", address).content.decode()
    elsewhere = Client(headers={"X-Forwarded-For": "203.0.113.7"})
    assert sign_in(elsewhere, "ann", "right", address).status_code == 302


@pytest.mark.parametrize("wanted", [EVERYBODYS, f"{EVERYBODYS}?next={EVERYBODYS}"])
def test_the_sign_in_does_not_lead_to_itself(client: Client, db: None, wanted: str) -> None:
    client.force_login(User.objects.create_user("ann"))
    answer = client.get(EVERYBODYS, {"next": wanted})
    assert (answer.status_code, answer["Location"]) == (302, "/")


@pytest.mark.parametrize("address", [LOGIN, EVERYBODYS])
def test_passwords_are_checked_a_few_at_a_time(
    client: Client, db: None, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(password_turns, "PATIENCE_S", 0.0)
    User.objects.create_superuser("ann", password="right")
    with ExitStack() as others:
        for _ in range(password_turns.AT_ONCE):
            others.enter_context(password_turns.turn())
        for _ in range(20):
            assert "try again in a few seconds" in sign_in(client, "ann", "right", address).content.decode()
    assert sign_in(client, "ann", "right", address).status_code == 302  # nor did it count as a wrong password


@pytest.mark.parametrize("address", ["/password", "/account"])
def test_so_are_those_of_who_is_signed_in(
    client: Client, db: None, address: str, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.EMAIL_URL = "smtp://localhost"
    monkeypatch.setattr(password_turns, "PATIENCE_S", 0.0)
    client.force_login(User.objects.create_user("ann", password="right"))
    asked = {"old_password": "right", "password": "right", "email": "ann@example.com"}
    with ExitStack() as others:
        for _ in range(password_turns.AT_ONCE):
            others.enter_context(password_turns.turn())
        assert "try again in a few seconds" in client.post(address, asked).content.decode()
    assert "try again in a few seconds" not in client.post(address, asked).content.decode()
