"""What people leave behind, and nobody asks for any more."""

from datetime import timedelta

from django.utils import timezone

from tenants.accounts.models import PersonSession
from tenants.members import Invitation

REMEMBERED = timedelta(days=30)  # invitations that were used or have expired


def tidy(*, dry_run: bool = False) -> tuple[int, int]:
    """(sessions, invitations) that go, or would."""
    now = timezone.now()
    sessions = PersonSession.objects.filter(expire_date__lt=now)
    invitations = Invitation.objects.filter(expires_at__lt=now - REMEMBERED)  # used ones expire, too
    if dry_run:
        return sessions.count(), invitations.count()
    counts = sessions.count(), invitations.count()
    sessions.delete()
    invitations.delete()
    return counts
