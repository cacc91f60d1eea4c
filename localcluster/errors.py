"""Error answers in the API server's own shape: a `Status` object with its code, reason, details and causes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from localcluster.resources import Resource

Cause = tuple[str, str, str]  # reason, message, field


class StatusError(Exception):
    """A refusal that becomes an HTTP answer with a `Status` body."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.reason, self.message = code, reason, message
        self.details, self.metadata = details, metadata or {}

    def status(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
        }
        if self.details:
            body["details"] = self.details
        return body | {"code": self.code}


def describe(resource: Resource, name: str | None) -> dict[str, Any]:
    details: dict[str, Any] = {"name": name} if name else {}
    if resource.group:
        details["group"] = resource.group
    return details | {"kind": resource.plural}


def bad_request(message: str) -> StatusError:
    return StatusError(400, "BadRequest", message)


def not_found(resource: Resource, name: str) -> StatusError:
    return StatusError(404, "NotFound", f'{resource.qualified} "{name}" not found', describe(resource, name))


def already_exists(resource: Resource, name: str, *, deleting: bool = False) -> StatusError:
    prefix = "object is being deleted: " if deleting else ""
    message = f'{prefix}{resource.qualified} "{name}" already exists'
    return StatusError(409, "AlreadyExists", message, describe(resource, name))


def modified(resource: Resource, name: str) -> StatusError:
    message = (
        f'Operation cannot be fulfilled on {resource.qualified} "{name}": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    return StatusError(409, "Conflict", message, describe(resource, name))


def forbidden(resource: Resource, name: str, why: str, causes: Sequence[Cause] = ()) -> StatusError:
    details = describe(resource, name)
    if causes:
        details["causes"] = [{"reason": r, "message": m, "field": f} for r, m, f in causes]
    return StatusError(403, "Forbidden", f'{resource.qualified} "{name}" is forbidden: {why}', details)


def invalid(resource: Resource, name: str, causes: Sequence[Cause]) -> StatusError:
    kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    return invalid_kind(kind, resource.group, resource.kind, name, causes)


def invalid_kind(title: str, group: str, kind: str, name: str, causes: Sequence[Cause]) -> StatusError:
    texts = list(dict.fromkeys(f"{field}: {message}" for _, message, field in causes))
    joined = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
    details: dict[str, Any] = {"name": name} if name else {}
    if group:
        details["group"] = group
    details["kind"] = kind
    details["causes"] = [{"reason": r, "message": m, "field": f} for r, m, f in causes]
    return StatusError(422, "Invalid", f'{title} "{name}" is invalid: {joined}', details)
