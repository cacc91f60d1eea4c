"""Sessions in the database, with their owner: SESSION_ENGINE."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.sessions.backends import db
from django.utils import timezone

from tenants.accounts.models import PersonSession

SEEN_EVERY = timedelta(minutes=5)  # a write for each request would cost more than it tells


class SessionStore(db.SessionStore):
    """As Django's; `touch` notes the use without saving the session, which would lengthen its life."""

    seen_at: datetime | None = None

    @classmethod
    def get_model_class(cls) -> type[PersonSession]:
        return PersonSession

    def create_model_instance(self, data: dict[str, Any]) -> PersonSession:
        row: PersonSession = super().create_model_instance(data)  # type: ignore[assignment]
        row.describe(data)
        return row

    def _get_session_from_db(self) -> PersonSession | None:
        row: PersonSession | None = super()._get_session_from_db()  # type: ignore[misc]
        self.seen_at = row.last_seen_at if row else None
        return row

    def touch(self) -> None:
        now = timezone.now()
        if self.seen_at is not None and now - self.seen_at > SEEN_EVERY:
            self.seen_at = now
            PersonSession.objects.filter(session_key=self.session_key).update(last_seen_at=now)
