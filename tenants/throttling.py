"""Rate limits by GCRA (the generic cell rate algorithm): one row and one atomic statement per request.

A bucket's row holds the moment at which it would be full again if nothing more came (`arrival`). A request moves it
on by one step; what would move it further ahead of now than the burst allows is refused, and then nothing is written.
Only the database's clock counts, so any number of web hosts agree. A bucket without a row is full: rows can be deleted
once their moment has passed, and the table is UNLOGGED, since after a crash everyone may begin anew.
"""

import hashlib
import ipaddress
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from tenants import plain_sql
from tenants.errors import ApiError
from tenants.models import Tenant

ADDRESS_BUCKETS = 2**16  # strangers choose their addresses: they share a fixed number of rows

# For `bucket`, `step` and `room` (how far ahead of now `arrival` may be before the request) of the statement's `asked`.
COUNTING = """
before AS (
  SELECT r.arrival FROM rate_limits r, asked WHERE r.bucket = asked.bucket
), moved AS (
  UPDATE rate_limits r SET arrival = greatest(r.arrival, now()) + asked.step
  FROM asked WHERE r.bucket = asked.bucket AND r.arrival <= now() + asked.room
  RETURNING r.arrival
), made AS (
  INSERT INTO rate_limits AS r (bucket, arrival)
  SELECT asked.bucket, now() + asked.step FROM asked WHERE asked.bucket IS NOT NULL AND NOT EXISTS (SELECT FROM before)
  ON CONFLICT (bucket) DO UPDATE SET arrival = greatest(r.arrival, now()) + (SELECT step FROM asked)
  WHERE r.arrival <= now() + (SELECT room FROM asked)
  RETURNING r.arrival
)
"""
COUNTED = "now(), (SELECT arrival FROM before), (SELECT arrival FROM moved), (SELECT arrival FROM made)"
COUNT = (
    "WITH asked AS (SELECT %(bucket)s::text AS bucket, %(step)s::interval AS step, %(room)s::interval AS room), "
    f"{COUNTING} SELECT {COUNTED}"
)


@dataclass(frozen=True)
class Limit:
    """`per_minute` requests in the long run, `burst` at once after a pause; 0 per minute is no limit."""

    per_minute: int
    burst: int

    def __bool__(self) -> bool:
        return self.per_minute > 0

    @property
    def step(self) -> timedelta:
        """Between two requests that come as evenly as may be."""
        return max(timedelta.resolution, timedelta(minutes=1) / max(1, self.per_minute))

    @property
    def room(self) -> timedelta:
        """How far ahead of now a bucket's moment may be for one more request to be taken."""
        return self.step * (self.burst - 1)


@dataclass(frozen=True)
class Count:
    """What became of one request; times in seconds."""

    limit: Limit
    allowed: bool
    remaining: int
    full_after_s: float
    wait_s: float

    @classmethod
    def of(cls, limit: Limit, counted: tuple[datetime, datetime | None, datetime | None, datetime | None]) -> "Count":
        """From the four values of COUNTED."""
        now, before, moved, made = counted
        arrival = moved or made
        ahead = max(timedelta(), (arrival or before or now) - now)
        remaining = 0 if arrival is None else max(0, math.floor(limit.burst - ahead / limit.step + 1e-6))
        wait = timedelta() if arrival else max(timedelta(), ahead - limit.room)
        return cls(limit, arrival is not None, remaining, ahead.total_seconds(), wait.total_seconds())

    @property
    def headers(self) -> tuple[int, int, int]:
        """X-RateLimit-Limit, -Remaining, -Reset: the burst, what is left of it, seconds until it is whole again."""
        return self.limit.burst, self.remaining, math.ceil(self.full_after_s)

    def refusal(self, message: str) -> ApiError:
        """The 429 to raise for a request that is not allowed."""
        wait = max(1, math.ceil(self.wait_s))
        return ApiError(429, "rate_limited", message, headers={"Retry-After": str(wait)})


def count(bucket: str, limit: Limit) -> Count:
    """Count one request. One statement, which writes only if the request is allowed."""
    asked: dict[str, Any] = {"bucket": bucket, "step": limit.step, "room": limit.room}
    with plain_sql.cursor() as cursor:
        cursor.execute(COUNT, asked)
        return Count.of(limit, cursor.fetchone())


def prune() -> int:
    """Delete the rows of buckets that are full again; returns how many. The reconciler does so now and then."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM rate_limits WHERE arrival < now()")
        return cursor.rowcount


def of_tenant(tenant: Tenant | None) -> Limit:
    """What all keys of a tenant may do together, or (None) one admin key. `OWN_LIMIT` says the same in SQL."""
    if tenant is None or tenant.requests_per_minute is None:
        burst = tenant.request_burst if tenant else None
        return Limit(settings.RATE_LIMIT_PER_MINUTE, burst or settings.RATE_LIMIT_BURST)
    return Limit(tenant.requests_per_minute, tenant.request_burst or max(1, tenant.requests_per_minute // 3))


# Of the tenant `t`, perhaps null; with `per_minute` and `burst` of the settings.
OWN_LIMIT = """
  coalesce(t.requests_per_minute, %(per_minute)s::int),
  coalesce(t.request_burst, CASE WHEN t.requests_per_minute IS NULL THEN %(burst)s::int
                                 ELSE greatest(1, t.requests_per_minute / 3) END)
"""


def of_failed_keys() -> Limit:
    """Keys that are not valid, from one address."""
    return Limit(settings.RATE_LIMIT_FAILED_KEYS_PER_MINUTE, settings.RATE_LIMIT_FAILED_KEYS_PER_MINUTE)


def of_job_tokens() -> Limit:
    """What the pods of one job may do."""
    return Limit(settings.RATE_LIMIT_JOB_TOKEN_PER_MINUTE, settings.RATE_LIMIT_JOB_TOKEN_PER_MINUTE)


def bucket_of_address(address: str) -> str:
    """One of ADDRESS_BUCKETS, drawn with a secret so that nobody can aim at another's. An IPv6 host owns its /64."""
    try:
        parsed: Any = ipaddress.ip_address(address)
        network = parsed.packed[:8] if parsed.version == 6 else parsed.packed
    except ValueError:
        network = b""  # a Unix socket's caller has none
    key = settings.SECRET_KEY.encode()[:64]
    drawn = int.from_bytes(hashlib.blake2b(network, key=key, digest_size=4).digest()) % ADDRESS_BUCKETS
    return f"address:{drawn}"
