"""Job tokens: what a pod shows to fetch its scenario and to store its results.

Signed, not stored: a token names one attempt of one job and its own expiry. It is no API key and opens nothing but
`/runner/jobs/{job_id}/…`; whether that job is still going on is asked of the job's row at every use.
"""

import time
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.core import signing

SALT = "sumok8.job-token"


class InvalidToken(Exception):
    """Not signed by us, not for this purpose, or expired."""


@dataclass(frozen=True)
class JobClaim:
    """The attempt of a job that a token speaks for."""

    job_id: uuid.UUID
    attempt: int


def issue(job_id: uuid.UUID, attempt: int, lifetime_s: float) -> str:
    """A token for one attempt, worthless after `lifetime_s` seconds. The first of JOB_TOKEN_KEYS signs."""
    claims = {"job": job_id.hex, "attempt": attempt, "expires": int(time.time() + lifetime_s)}
    return signing.dumps(claims, key=settings.JOB_TOKEN_KEYS[0], salt=SALT)


def verify(token: str) -> JobClaim:
    """What the token speaks for. Raises InvalidToken. Any of JOB_TOKEN_KEYS may have signed it."""
    first: str = settings.JOB_TOKEN_KEYS[0]
    others: list[str | bytes] = [*settings.JOB_TOKEN_KEYS[1:]]
    try:
        claims = signing.loads(token, key=first, salt=SALT, fallback_keys=others)
    except signing.BadSignature:
        raise InvalidToken from None
    if claims["expires"] <= time.time():
        raise InvalidToken
    return JobClaim(uuid.UUID(claims["job"]), claims["attempt"])
