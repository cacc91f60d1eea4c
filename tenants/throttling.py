"""A rate limit per API key: one atomic statement a request, right across any number of web processes."""

import time
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from tenants.models import ApiKey

if TYPE_CHECKING:  # rest_framework.views itself loads this module
    from rest_framework.views import APIView

COUNT = """
INSERT INTO api_key_usage AS u (api_key_id, "window", count) VALUES (%s, %s, 1)
ON CONFLICT (api_key_id) DO UPDATE SET
  count = CASE WHEN u."window" = EXCLUDED."window" THEN u.count + 1 ELSE 1 END, "window" = EXCLUDED."window"
RETURNING count
"""


class ApiKeyRateThrottle(BaseThrottle):
    """`RATE_LIMIT_PER_MINUTE` requests per key and clock minute; 0 is no limit and costs nothing."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        limit = settings.RATE_LIMIT_PER_MINUTE
        if not limit or not isinstance(request.auth, ApiKey):
            return True
        now = time.time()
        with connection.cursor() as cursor:
            cursor.execute(COUNT, [request.auth.pk, int(now // 60)])
            (count,) = cursor.fetchone()
        self.seconds_left = 60 - now % 60
        # `sumok8.middleware.RateLimitHeadersMiddleware` sends it with the answer.
        request._request.rate_limit = (limit, max(0, limit - count), int(self.seconds_left) + 1)  # type: ignore[attr-defined]
        return count <= limit

    def wait(self) -> float:
        return self.seconds_left
