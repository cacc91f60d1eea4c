"""Hashing a password is slow on purpose: few at a time, so that who signs in takes nothing from all the others."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from django.core.exceptions import ValidationError

from tenants.database import give_connection_back

AT_ONCE = 2  # in a web process; each takes a processor and one of its connections to the database
IN_LINE = 8  # threads, those at once among them
PATIENCE_S = 5.0

_places, _line = BoundedSemaphore(AT_ONCE), BoundedSemaphore(IN_LINE)


@contextmanager
def turn() -> Iterator[None]:
    """Raises ValidationError where too many wait already, or for too long."""
    with _held(_line, 0.0):
        give_connection_back()
        with _held(_places, PATIENCE_S):
            yield


@contextmanager
def _held(places: BoundedSemaphore, patience_s: float) -> Iterator[None]:
    if not places.acquire(timeout=patience_s):
        raise ValidationError("Too many people sign in at this moment; try again in a few seconds.", code="busy")
    try:
        yield
    finally:
        places.release()
