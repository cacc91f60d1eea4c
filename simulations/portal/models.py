"""Links that let anybody who has one read a comparison."""

import hashlib
import secrets
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from simulations.studies.models import Study

MOST_OPEN = 20  # of a study
DAYS = (7, 30, 90)


class SharedComparisonQuerySet(models.QuerySet["SharedComparison"]):
    def open(self) -> "SharedComparisonQuerySet":
        """Neither ended nor taken back, of an active tenant."""
        return self.filter(revoked_at=None, expires_at__gt=timezone.now(), study__tenant__is_active=True)

    def with_key(self, key: str) -> "SharedComparisonQuerySet":
        return self.filter(digest=digest_of(key))

    @transaction.atomic
    def share(self, study: Study, *, days: int, user_id: int) -> tuple["SharedComparison", str] | None:
        """(row, its key in clear, which is not kept); None: MOST_OPEN are. Links that are not open any more go."""
        study.tenant.lock()
        if self.open().filter(study=study).count() >= MOST_OPEN:
            return None
        self.filter(study=study).exclude(pk__in=self.open().filter(study=study).values("pk")).delete()
        key = secrets.token_urlsafe(32)
        row = self.create(
            study=study, digest=digest_of(key), created_by_id=user_id, expires_at=timezone.now() + timedelta(days=days)
        )
        return row, key


class SharedComparison(models.Model):
    """Only its key's digest is kept, as with API keys."""

    study = models.ForeignKey(Study, models.CASCADE, related_name="shares")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar = SharedComparisonQuerySet.as_manager()

    class Meta:
        db_table = "shared_comparisons"
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"link to {self.study_id}"


def digest_of(key: str) -> str:
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()
