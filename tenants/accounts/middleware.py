"""Notes of a session what its owner wants to know of it. Stands inside Django's SessionMiddleware."""

from collections.abc import Callable

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from tenants.accounts.session_store import SessionStore


class SessionUseMiddleware:
    """At the sign-in who came from where; later when last. Asks for no session that nobody asked for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        session = request.session
        if isinstance(session, SessionStore) and session.accessed and SESSION_KEY in session:
            if session.modified and "since" not in session:
                session["since"] = timezone.now().isoformat()
                session["agent"] = request.headers.get("User-Agent", "")[:300].replace("\0", "")
                session["address"] = request.META.get("REMOTE_ADDR", "")[:45]
            session.touch()
        return response
