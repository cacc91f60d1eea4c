"""Mail to people: a link for a new password, for a new mail address, for an invitation. Asked for on pages, sent by
`manage.py notify`, so that no page waits for a mail server and none tells by its time whether an account is there."""

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from smtplib import SMTPException

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core import signing
from django.core.mail import EmailMessage
from django.db import connection
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlencode, urlsafe_base64_encode

from tenants.accounts.models import Letter
from tenants.members import Invitation
from tenants.throttling import Limit, bucket_of_address, count

log = logging.getLogger("tenants.accounts")

RESTS = timedelta(minutes=15)  # between two of a kind to one person, and before one that failed is tried again
GIVEN_UP_AFTER = timedelta(days=1)  # asked for, and not sent
ADDRESS_HOLDS = timedelta(days=1)
ADDRESS_SALT = "tenants.accounts.address"
BATCH = 100
ACCOUNTS = 5  # that one address may have
PER_ADDRESS = Limit(per_minute=6, burst=6)  # asked for by one caller
PER_PERSON = Limit(per_minute=1, burst=3)
PER_TENANT = Limit(per_minute=2, burst=20)  # invitations


def can_be_sent() -> bool:
    return bool(settings.EMAIL_URL)


def ask_for_password(*, email: str, origin: str, caller: str) -> bool:
    """For each account with a password that has this address; False where the caller asks too often.

    Nothing else tells whether there is one.
    """
    if not count(f"letters:{bucket_of_address(caller)}", PER_ADDRESS).allowed:
        return False
    found = User.objects.filter(email__iexact=email, is_active=True).exclude(email="").order_by("pk")[:ACCOUNTS]
    rows = [
        Letter(kind=Letter.Kind.RESET, user=user, to=user.email, origin=origin)
        for user in found
        if user.has_usable_password()
    ]
    Letter.objects.bulk_create(rows, ignore_conflicts=True)  # who was written to just now has what is needed
    return True


def ask_for_address(*, user: User, email: str, origin: str) -> bool:
    """To the new address, whose owner then says yes; False where this person asks too often."""
    if not count(f"letters:user:{user.pk}", PER_PERSON).allowed:
        return False
    now = timezone.now()
    fresh = {"to": email, "origin": origin, "asked_at": now, "next_try_at": now, "sent_at": None}
    Letter.objects.update_or_create(user=user, kind=Letter.Kind.ADDRESS, defaults=fresh)
    return True


def ask_to_join(*, invitation: Invitation, origin: str) -> bool:
    """To the invitation's address; False where its tenant has sent too many of late."""
    if not count(f"letters:tenant:{invitation.tenant_id}", PER_TENANT).allowed:
        return False
    Letter.objects.create(kind=Letter.Kind.INVITATION, invitation=invitation, to=invitation.email, origin=origin)
    return True


def address_of(token: str) -> tuple[User, str] | None:
    """Whose new address which is, by the token of a letter; None: it has expired, was used, or is none."""
    try:
        pk, new, old = signing.loads(token, salt=ADDRESS_SALT, max_age=ADDRESS_HOLDS)
    except (signing.BadSignature, ValueError):
        return None
    user = User.objects.filter(pk=pk, email=old, is_active=True).first()
    return (user, new) if user else None


def send_due() -> int:
    """How many were sent. By any number of processes: whoever takes one lets it rest."""
    if not can_be_sent():
        return 0
    now = timezone.now()
    Letter.objects.filter(Q(sent_at__lt=now - RESTS) | Q(asked_at__lt=now - GIVEN_UP_AFTER)).delete()
    sent = 0
    for pk in list(Letter.objects.due(now).order_by("next_try_at").values_list("pk", flat=True)[:BATCH]):
        if not Letter.objects.due(now).filter(pk=pk).update(next_try_at=now + RESTS):
            continue
        letter = Letter.objects.select_related("user", "invitation").filter(pk=pk).first()
        if letter and _is_sent(letter):
            Letter.objects.filter(pk=pk).update(sent_at=timezone.now())
            sent += 1
    return sent


def _is_sent(letter: Letter) -> bool:
    subject, lines = WRITTEN[Letter.Kind(letter.kind)](letter)
    message = EmailMessage(
        subject=f"SUMO-K8: {subject}",
        body="\n\n".join(lines),
        to=[letter.to],
        headers={"Auto-Submitted": "auto-generated"},
    )
    if not connection.in_atomic_block:
        connection.close()  # none is held while the mail server is spoken to
    try:
        message.send()
    except (SMTPException, OSError) as error:
        log.warning("letter %s was not taken: %s", letter.pk, error)
        return False
    return True


def _link(letter: Letter, page: str, **query: str) -> str:
    """In the query, which no log keeps."""
    return f"{letter.origin}{reverse(page)}?{urlencode(query)}"


def _password(letter: Letter) -> tuple[str, Iterable[str]]:
    assert letter.user
    who = urlsafe_base64_encode(force_bytes(letter.user.pk))
    link = _link(letter, "password-new", who=who, token=default_token_generator.make_token(letter.user))
    hours = settings.PASSWORD_RESET_TIMEOUT // 3600
    return "a new password", [
        f"Somebody asked for a new password of {letter.user.get_username()}. Choose it here within {hours} hours:",
        link,
        "If it was not you, do nothing: the password stays as it is.",
    ]


def _address(letter: Letter) -> tuple[str, Iterable[str]]:
    assert letter.user
    token = signing.dumps([letter.user.pk, letter.to, letter.user.email], salt=ADDRESS_SALT)
    return "your mail address", [
        f"{letter.user.get_username()} wants to be written to at this address. Say yes here within a day:",
        _link(letter, "address", token=token),
        "If it was not you, do nothing.",
    ]


def _invitation(letter: Letter) -> tuple[str, Iterable[str]]:
    found = letter.invitation
    assert found
    return f"you are invited to {found.tenant_id}", [
        f"You are invited to {found.tenant_id} as {found.role}. The link works once, until "
        f"{found.expires_at:%Y-%m-%d %H:%M} UTC:",
        _link(letter, "portal:join", token=found.mailed_token),
    ]


WRITTEN: dict[Letter.Kind, Callable[[Letter], tuple[str, Iterable[str]]]] = {
    Letter.Kind.RESET: _password,
    Letter.Kind.ADDRESS: _address,
    Letter.Kind.INVITATION: _invitation,
}
