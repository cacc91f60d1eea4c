"""Who is told when something has happened: one address of a tenant's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import Client


class Webhook:
    """As it was when last looked at; `data` is the service's answer, with the `secret` right after it was made."""

    def __init__(self, client: Client, data: dict[str, Any]) -> None:
        self._client, self.data = client, data
        self.id: str = data["endpoint_id"]

    def __repr__(self) -> str:
        return f"<Webhook {self.id} {self.data['url']}>"

    def change(self, **fields: Any) -> Webhook:
        """Its url, events or active."""
        self.data = self._client.transport.json("PATCH", f"/webhooks/{self.id}", body=fields)
        return self

    def delete(self) -> None:
        self._client.transport.json("DELETE", f"/webhooks/{self.id}")

    def rotate(self) -> Webhook:
        """A new secret, in `data`; the one before signs as well for a day."""
        self.data = self._client.post(f"/webhooks/{self.id}/rotate")
        return self

    def test(self) -> dict[str, Any]:
        """Send it a test message."""
        told: dict[str, Any] = self._client.post(f"/webhooks/{self.id}/test")
        return told

    def replay(self, since: str) -> dict[str, Any]:
        """Tell it again of all that happened since then (ISO 8601)."""
        told: dict[str, Any] = self._client.post(f"/webhooks/{self.id}/replay", {"since": since})
        return told

    def deliveries(self) -> Iterator[dict[str, Any]]:
        """What was sent, the newest first, page after page."""
        return self._client.rows(f"/webhooks/{self.id}/deliveries", "deliveries")
