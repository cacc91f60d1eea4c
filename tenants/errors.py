"""The one error that rooms raise for an API caller. `sumok8.errors` turns it into the JSON every error has."""

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework.exceptions import APIException

# Said by the application and, for uploads, by the proxy in front of it.
UNAUTHORIZED = "Send a valid API key: Authorization: Bearer <key>."
MAY_NOT_UPLOAD = "Uploading takes a tenant's API key, or a member, with the role engineer or owner."
FOR_TENANTS = "This address is for tenants; use a tenant's API key."
BAD_HOST = "This service is not known by that host name (ALLOWED_HOSTS)."


class ApiError(APIException):
    """`{"error": {"code", "message", "details"}}` with `status_code`.

    `code` is stable (`tenant.paused`); `message` is a sentence that says what to do; `details` lists everything wrong,
    each entry at least `{"code", "message"}`; `headers` go out with the answer (`Retry-After`).
    """

    def __init__(
        self,
        status_code: int,
        code: str,
        message: str,
        *,
        details: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail=message, code=code)
        self.status_code = status_code
        self.code = code
        self.message = message
        self.details = [dict(entry) for entry in details]
        self.headers = dict(headers or {})
