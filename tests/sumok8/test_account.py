"""A person's account: sessions are listed and ended; a forgotten password and a mail address go by letter."""

import re
from datetime import timedelta
from smtplib import SMTPException
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from tenants.accounts import letters
from tenants.accounts.models import Letter, PersonSession
from tenants.models import RateLimit

pytestmark = pytest.mark.django_db
OLD, NEW = "a sentence that nobody guesses", "another sentence that nobody guesses"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(autouse=True)
def mailing(settings: Settings) -> None:
    settings.EMAIL_URL = "smtp://mail.example.org"  # pytest-django keeps what is sent


@pytest.fixture
def ann(db: None) -> User:
    return User.objects.create_user("ann", "ann@example.org", OLD)


def sign_in(agent: str = FIREFOX, password: str = OLD) -> Client:
    client = Client(headers={"User-Agent": agent})
    assert client.post("/sign-in", {"username": "ann", "password": password}).status_code == 302
    return client


def read_letter(number: int = -1) -> tuple[str, str]:
    """(to whom, its link without the host)"""
    letter = mail.outbox[number]
    link = re.search(r"http://testserver(/\S+)", str(letter.body))
    assert link
    return letter.to[0], link[1]


def is_in(client: Client) -> bool:
    return client.get("/account").status_code == 200


def test_sessions_are_listed_and_ended(ann: User) -> None:
    here, there = sign_in(), sign_in("curl/8.5.0")
    page = here.get("/account").content.decode()
    assert "Firefox on Linux" in page
    assert "curl" in page
    assert here.session.session_key not in page
    [handle] = re.findall(r'name="session" value="(\w{32})"', page)
    stranger = Client()
    stranger.force_login(User.objects.create_user("eve"))
    assert stranger.post("/account/sessions/end", {"session": handle}).status_code == 404
    here.post("/account/sessions/end", {"session": handle})
    assert (is_in(here), is_in(there)) == (True, False)
    others = [sign_in(), sign_in()]
    assert "2 sessions are ended" in here.post("/account/sessions/end", {"session": "others"}, follow=True).text
    assert [is_in(client) for client in (here, *others)] == [True, False, False]


def test_use_is_noted_and_does_not_lengthen_a_session(ann: User) -> None:
    client = sign_in()
    row = PersonSession.objects.get()
    assert (row.user, row.address) == (ann, "127.0.0.1")
    long_ago = timezone.now() - timedelta(hours=1)
    PersonSession.objects.update(last_seen_at=long_ago)
    client.get("/account")
    seen = PersonSession.objects.get()
    assert seen.last_seen_at > long_ago
    assert (seen.expire_date, seen.since) == (row.expire_date, row.since)


def test_a_new_password_takes_the_others_off_the_list(ann: User) -> None:
    here, _ = sign_in(), sign_in()
    here.post("/password", {"old_password": OLD, "new_password1": NEW, "new_password2": NEW})
    assert PersonSession.objects.get().session_key == here.session.session_key
    ann.refresh_from_db()
    ann.set_password(OLD)  # as the operator does: what it ended is not shown either
    ann.save()
    assert PersonSession.objects.open_of(ann) == []


def test_a_forgotten_password_is_set_anew_by_a_letter(ann: User) -> None:
    before = sign_in()
    guest = Client()
    assert "/password/forgotten" in guest.get("/sign-in").text
    answers = {guest.post("/password/forgotten", {"email": each}).content for each in ("ANN@example.org", "no@one.org")}
    assert len(answers) == 1  # it does not tell who is here
    guest.post("/password/forgotten", {"email": "ann@example.org"})
    assert (letters.send_due(), letters.send_due(), len(mail.outbox)) == (1, 0, 1)
    to, link = read_letter()
    assert to == "ann@example.org"
    form = dict(re.findall(r'name="(who|token)" value="([^"]+)"', guest.get(link).text))
    weak = guest.post("/password/new", {**form, "new_password1": "ann", "new_password2": "ann"})
    assert weak.status_code == 422
    for _ in range(10):
        Client().post("/sign-in", {"username": "ann", "password": "wrong"})
    changed = guest.post("/password/new", {**form, "new_password1": NEW, "new_password2": NEW})
    assert changed["Location"] == "/sign-in"
    assert not is_in(before)
    sign_in(password=NEW)  # and the lock of wrong passwords is open
    assert guest.get(link).status_code == 404  # it works once


def test_only_accounts_with_a_password_of_ours_get_letters(ann: User, settings: Settings) -> None:
    ann.set_unusable_password()
    ann.save()
    Client().post("/password/forgotten", {"email": "ann@example.org"})
    User.objects.create_user("bob", "bob@example.org", OLD, is_active=False)
    Client().post("/password/forgotten", {"email": "bob@example.org"})
    assert not Letter.objects.exists()
    settings.EMAIL_URL = ""
    assert Client().get("/password/forgotten").status_code == 404
    assert "/password/forgotten" not in Client().get("/sign-in").text


def test_letters_are_bounded_by_caller_and_person(ann: User) -> None:
    answers = [Client().post("/password/forgotten", {"email": f"{n}@example.org"}).status_code for n in range(7)]
    assert answers == [200] * 6 + [429]
    RateLimit.objects.all().delete()
    for _ in range(3):
        Client().post("/password/forgotten", {"email": "ann@example.org"})
        letters.send_due()
    assert len(mail.outbox) == 1
    Letter.objects.update(sent_at=timezone.now() - letters.RESTS - timedelta(seconds=1))
    letters.send_due()
    Client().post("/password/forgotten", {"email": "ann@example.org"})
    assert letters.send_due() == 1


def test_a_mail_server_that_is_away_is_tried_again(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any) -> int:
        raise SMTPException("busy")

    Client().post("/password/forgotten", {"email": "ann@example.org"})
    with monkeypatch.context() as patched:
        patched.setattr(EmailBackend, "send_messages", fail)
        assert letters.send_due() == 0
    assert letters.send_due() == 0  # it rests
    Letter.objects.update(next_try_at=timezone.now())
    assert letters.send_due() == 1
    Letter.objects.update(sent_at=None, asked_at=timezone.now() - letters.GIVEN_UP_AFTER)
    letters.send_due()
    assert not Letter.objects.exists()


def test_a_mail_address_counts_once_its_letter_was_answered(ann: User) -> None:
    client = sign_in()
    wrong = client.post("/account", {"email": "new@example.org", "password": "wrong"})
    assert (wrong.status_code, Letter.objects.count()) == (422, 0)
    client.post("/account", {"email": "new@example.org", "password": OLD})
    assert letters.send_due() == 1
    to, link = read_letter()
    assert to == "new@example.org"
    guest = Client()
    assert "new@example.org" in guest.get(link).text
    ann.refresh_from_db()
    assert ann.email == "ann@example.org"
    token = re.search(r'name="token" value="([^"]+)"', guest.get(link).text)
    assert token
    guest.post("/account/address", {"token": token[1]})
    ann.refresh_from_db()
    assert ann.email == "new@example.org"
    assert guest.get(link).status_code == 404
    assert guest.get("/account/address?token=odd:one").status_code == 404
