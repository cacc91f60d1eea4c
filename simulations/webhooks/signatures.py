"""Signatures as the Standard Webhooks specification asks for them (standardwebhooks.com).

Secrets are derived from WEBHOOK_KEY, the endpoint and a version: a copy of the database opens nothing.
"""

import base64
import hashlib
import hmac
import uuid
from collections.abc import Iterable

from django.conf import settings

PREFIX = "whsec_"


def secret(endpoint_id: uuid.UUID, version: int) -> str:
    """`whsec_` and 32 bytes in base64."""
    message = b"sumok8.webhook:" + endpoint_id.bytes + version.to_bytes(8)
    derived = hmac.digest(settings.WEBHOOK_KEY.encode(), message, hashlib.sha256)
    return PREFIX + base64.b64encode(derived).decode()


def headers(secrets: Iterable[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of a message; `timestamp` in seconds since 1970."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    signatures = [_signature(each, signed) for each in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{each}" for each in signatures),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
