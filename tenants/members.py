"""People of a tenant: who belongs to it in which role, and how others are asked to join."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core import signing
from django.db import models
from django.utils import timezone

INVITED_FOR = timedelta(days=7)
MOST_PLACES = 100  # of a person, that are shown
MAILED_SALT = "tenants.invitation"


class Role(models.TextChoices):
    """What a member may do; each may do what the one before may."""

    VIEWER = "viewer", "viewer: looks"
    ENGINEER = "engineer", "engineer: uploads, submits, cancels"
    OWNER = "owner", "owner: also keys and members"

    def covers(self, needed: "Role") -> bool:
        roles = list(Role)
        return roles.index(self) >= roles.index(needed)


class MemberQuerySet(models.QuerySet["Member"]):
    def places_of(self, user: AbstractBaseUser) -> list["Member"]:
        """Where a person may go, by name."""
        return list(self.filter(user=user, tenant__is_active=True).order_by("tenant_id")[:MOST_PLACES])


class Member(models.Model):
    """A Django user's place in a tenant."""

    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="members", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VIEWER)
    by_groups = models.BooleanField(
        default=False, editable=False, help_text="Given and taken by the groups that a sign-in tells."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar = MemberQuerySet.as_manager()

    class Meta:
        db_table = "members"
        ordering = ["created_at", "id"]
        constraints = [models.UniqueConstraint(fields=["tenant", "user"], name="members_unique_user")]

    def __str__(self) -> str:
        return f"{self.user} in {self.tenant_id}"


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def usable(self) -> "InvitationQuerySet":
        """Neither used nor expired, of an active tenant."""
        return self.filter(used_at=None, expires_at__gt=timezone.now(), tenant__is_active=True)

    def with_token(self, token: str) -> "InvitationQuerySet":
        """The one that was shown, or the one that was mailed."""
        if ":" not in token:
            return self.filter(digest=Invitation.digest_of(token))
        try:
            return self.filter(pk=signing.loads(token, salt=MAILED_SALT))
        except signing.BadSignature:
            return self.none()


class Invitation(models.Model):
    """Lets one person join, by a link. Only its token's digest is kept, as with API keys. Taking it back deletes it."""

    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VIEWER)
    note = models.CharField(max_length=100, blank=True, help_text="For whom it is; only the tenant's owners see it.")
    email = models.EmailField(blank=True, help_text="Where the link is mailed, and the address of who joins by it.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    made_by = models.CharField(
        max_length=150, blank=True, db_default="", editable=False, help_text="The owner's user name."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar = InvitationQuerySet.as_manager()

    class Meta:
        db_table = "invitations"
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"invitation of {self.note or 'somebody'} to {self.tenant_id}"

    @property
    def mailed_token(self) -> str:
        """Signed rather than kept, since the one that was shown is not known here. Taking back ends both."""
        return signing.dumps(self.pk, salt=MAILED_SALT)

    @staticmethod
    def digest_of(token: str) -> str:
        return hashlib.sha256(token.encode(errors="replace")).hexdigest()

    @staticmethod
    def new_token() -> tuple[str, str, datetime]:
        """(token, its digest, when it ends)."""
        token = secrets.token_urlsafe(32)
        return token, Invitation.digest_of(token), timezone.now() + INVITED_FOR
