"""Guessing a staff password is slowed down, for that name and address only."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

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


@pytest.mark.parametrize("wanted", [EVERYBODYS, f"{EVERYBODYS}?next={EVERYBODYS}"])
def test_the_sign_in_does_not_lead_to_itself(client: Client, db: None, wanted: str) -> None:
    client.force_login(User.objects.create_user("ann"))
    answer = client.get(EVERYBODYS, {"next": wanted})
    assert (answer.status_code, answer["Location"]) == (302, "/")
