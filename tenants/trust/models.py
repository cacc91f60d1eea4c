"""Whom else we believe about who is calling: issuers of tokens, their keys as last read, and what was taken once."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from tenants.egress.destinations import NotAllowed, parse
from tenants.members import Role

MAX_CLAIMS = 20
MAX_VALUE = 300  # characters of a claim's value


def validate_claims(claims: Any) -> None:
    """Names of claims with the one value each must have. Raises ValidationError.

    At least one: an issuer such as a code host's signs for everybody, and its audience is the caller's to choose.
    """
    if not isinstance(claims, dict) or not 1 <= len(claims) <= MAX_CLAIMS:
        raise ValidationError(f'Write claims as {{"sub": "…"}}, from 1 to {MAX_CLAIMS} of them.')
    for name, value in claims.items():
        if not isinstance(value, str | int | bool) or not 1 <= len(str(value)) <= MAX_VALUE:
            raise ValidationError(f"{name[:64]}: a text, a whole number, true or false, of {MAX_VALUE} signs at most.")


def validate_issuer(url: str) -> None:
    """Raises ValidationError for what could never be asked for keys, or is no issuer by OpenID Connect's rules."""
    try:
        parse(url)
    except NotAllowed as error:
        raise ValidationError(str(error)) from None
    if "?" in url:
        raise ValidationError("An issuer has no query.")


class TrustedIssuer(models.Model):
    """A tenant believes this issuer's tokens that have this audience and all these claims."""

    class Purpose(models.TextChoices):
        PROGRAMS = "programs", "programs: tokens are traded for short-lived API keys"
        PEOPLE = "people", "people: a sign-in gives a place in the tenant"

    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="trusted_issuers")
    purpose = models.CharField(max_length=10, choices=Purpose.choices, default=Purpose.PROGRAMS)
    issuer = models.CharField(
        max_length=300, validators=[validate_issuer], help_text="Exactly as in the tokens' claim “iss”."
    )
    audience = models.CharField(max_length=200, help_text="What the claim “aud” must be or contain.")
    claims = models.JSONField(
        validators=[validate_claims],
        help_text="Each must be there with exactly this value; a claim that is a list must contain it.",
    )
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.ENGINEER)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        db_table = "trusted_issuers"
        ordering = ["tenant_id", "id"]
        indexes = [models.Index(fields=["issuer", "audience"], name="trusted_issuers_by_issuer")]

    def __str__(self) -> str:
        return f"{self.issuer} for {self.tenant_id}"

    def matches(self, claims: dict[str, Any]) -> bool:
        """All of its claims have their value; 1, true and "1" are three different values."""

        def same(found: Any, wanted: Any) -> bool:
            if isinstance(found, list):
                return any(same(each, wanted) for each in found if not isinstance(each, list))
            return type(found) is type(wanted) and found == wanted

        return bool(self.claims) and all(same(claims.get(name), wanted) for name, wanted in self.claims.items())


class IssuerKeys(models.Model):
    """What an issuer said of itself when it was last asked: for all processes, and for when it is away."""

    issuer = models.CharField(max_length=300, primary_key=True)
    discovery = models.JSONField(default=dict)
    keys = models.JSONField(default=list)
    fetched_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=200, blank=True, help_text="Why the last try failed.")

    class Meta:
        db_table = "issuer_keys"

    def __str__(self) -> str:
        return self.issuer


class UsedToken(models.Model):
    """A token that was traded, until it would have ended by itself."""

    digest = models.CharField(max_length=64, primary_key=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "used_tokens"

    def __str__(self) -> str:
        return self.digest[:12]


class Identity(models.Model):
    """An account that an issuer vouches for. Only `sub` names a person for good: names and addresses are given anew."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="identities")
    issuer = models.CharField(max_length=300)
    subject = models.CharField(max_length=255)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    staff_groups = ArrayField(
        models.CharField(max_length=150), default=list, editable=False, help_text="Ours, that its sign-ins gave."
    )

    objects: ClassVar = models.Manager()

    class Meta:
        db_table = "identities"
        verbose_name_plural = "identities"
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="identities_unique_subject")]

    def __str__(self) -> str:
        return f"{self.subject} of {self.issuer}"
