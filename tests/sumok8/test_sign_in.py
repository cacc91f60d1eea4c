"""Guessing a staff password is slowed down, for that name and address only."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

LOGIN = "/admin/login/"


@pytest.fixture(autouse=True)
def quick_hashes(settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def sign_in(client: Client, username: str, password: str):
    return client.post(LOGIN, {"username": username, "password": password})


def test_ten_wrong_passwords_lock_a_name_out(client: Client, db: None) -> None:
    for name in ("ann", "bob"):
        User.objects.create_superuser(name, password="right-for-both")
    answers = [sign_in(client, "ann", f"wrong-{n}").status_code for n in range(10)]
    assert answers == [200] * 9 + [429]
    refused = sign_in(client, "ann", "right-for-both")
    assert refused.status_code == 429
    assert "locked for a quarter of an hour" in refused.content.decode()
    assert sign_in(client, "bob", "right-for-both").status_code == 302


def test_a_right_password_forgets_the_wrong_ones(client: Client, db: None) -> None:
    User.objects.create_superuser("ann", password="right")
    for _ in range(2):
        for n in range(9):
            assert sign_in(client, "ann", f"wrong-{n}").status_code == 200
        assert sign_in(client, "ann", "right").status_code == 302
