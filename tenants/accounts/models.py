"""Where somebody is signed in, and the mail that waits to be sent to people."""

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from tenants.members import Invitation

MOST_SHOWN = 50


class PersonSessionManager(BaseSessionManager["PersonSession"]):
    def open_of(self, user: User) -> list["PersonSession"]:
        """Those that still let `user` in, the last seen first. A new password has ended the others."""
        rows = self.filter(user=user, expire_date__gt=timezone.now()).order_by("-last_seen_at")[:MOST_SHOWN]
        good = user.get_session_auth_hash()
        return [row for row in rows if constant_time_compare(row.get_decoded().get(HASH_SESSION_KEY, ""), good)]

    def end(self, user: User, *, but: str | None = None) -> int:
        """All of a person's, but that of the key `but`; how many."""
        return self.filter(user=user).exclude(session_key=but or "").delete()[0]


class PersonSession(AbstractBaseSession):
    """Django's session with what its owner wants to know of it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="sessions")
    agent = models.CharField(max_length=300, blank=True, help_text="The browser, in its own words.")
    address = models.CharField(max_length=45, blank=True)
    since = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar = PersonSessionManager()

    class Meta(AbstractBaseSession.Meta):
        db_table = "person_sessions"

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        from tenants.accounts.session_store import SessionStore  # which reads this model

        return SessionStore

    @property
    def handle(self) -> str:
        """For addresses of pages: the key itself would let in whoever reads it."""
        return Invitation.digest_of(self.session_key)[:32]

    def describe(self, data: dict[str, object]) -> None:
        """From the session's data, which is all that Django hands on."""
        person = data.get(SESSION_KEY)
        self.user_id = int(str(person)) if person else None
        for name in ("agent", "address"):
            setattr(self, name, str(data.get(name, "")))
        if since := data.get("since"):
            self.since = datetime.fromisoformat(str(since))


class LetterQuerySet(models.QuerySet["Letter"]):
    def due(self, now: datetime) -> "LetterQuerySet":
        return self.filter(sent_at=None, next_try_at__lte=now)


class Letter(models.Model):
    """Mail to one person. Its link's token is made as it is sent, and kept nowhere."""

    class Kind(models.TextChoices):
        RESET = "reset"
        ADDRESS = "address"
        INVITATION = "invitation"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="letters")
    invitation = models.OneToOneField(Invitation, models.CASCADE, null=True, related_name="letter")
    to = models.EmailField()
    origin = models.CharField(max_length=300, help_text="Where links lead: scheme and host, as whoever asked came.")
    asked_at = models.DateTimeField(default=timezone.now)
    next_try_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)

    objects: ClassVar = LetterQuerySet.as_manager()

    class Meta:
        db_table = "letters"
        constraints = [
            models.UniqueConstraint(fields=["user", "kind"], name="letters_one_of_a_kind"),
            models.CheckConstraint(
                condition=models.Q(kind="invitation", invitation__isnull=False, user=None)
                | models.Q(~models.Q(kind="invitation"), invitation=None, user__isnull=False),
                name="letters_to_somebody",
            ),
        ]
        indexes = [models.Index(F("next_try_at"), name="letters_due", condition=models.Q(sent_at=None))]

    def __str__(self) -> str:
        return f"{self.kind} to {self.user or self.invitation}"
