"""What drf-spectacular cannot see by itself: how callers prove who they are, and the errors every address can give."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from rest_framework.request import Request

Schema = dict[str, Any]

ERROR_SCHEMA: Schema = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "details"],
            "properties": {
                "code": {"type": "string", "description": "Stable; for programs."},
                "message": {"type": "string", "description": "A sentence that says what to do; for people."},
                "details": {
                    "type": "array",
                    "description": "Everything that is wrong, one entry each.",
                    "items": {
                        "type": "object",
                        "required": ["code", "message"],
                        "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
                        "additionalProperties": True,
                    },
                },
            },
        }
    },
}

# status: (when, code, message); the sentence of the example is what the address really answers or close to it.
ERRORS: dict[str, tuple[str, str, str]] = {
    "400": ("The request could not be read, or has errors.", "invalid", "The request has errors."),
    "401": ("No valid API key.", "unauthorized", "Send a valid API key: Authorization: Bearer <key>."),
    "403": ("This key may not do this.", "forbidden", "This address is for admins."),
    "404": ("Not there, or not yours.", "not_found", "There is nothing at this address that your key can see."),
    "406": ("Accept excludes JSON.", "not_acceptable", "Answers are JSON; send Accept: application/json."),
    "409": ("It contradicts the present state.", "conflict", "This cannot be done in the present state."),
    "413": ("The body is too large.", "too_large", "The body is larger than this address takes."),
    "415": ("Neither JSON nor the form asked for.", "unsupported_media_type", "Send the body as JSON."),
    "416": ("The range begins after the end.", "range.not_satisfiable", "The range begins after the file's end."),
    "422": ("Understood, but it cannot be run.", "invalid", "The request has errors; each is listed in details."),
    "429": ("Too much at once; try again after Retry-After seconds.", "rate_limited", "Too many requests."),
    "503": ("Database, cluster or storage do not answer; try again.", "database_unreachable", "Try again in a moment."),
    "507": ("No room left on the service's side.", "storage.full", "There is no room left for this file."),
}
METHODS = ("get", "post", "put", "patch", "delete")


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """`Authorization: Bearer sk8_…`."""

    target_class = "tenants.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> Schema:
        return {"type": "http", "scheme": "bearer", "description": "An API key: `Authorization: Bearer sk8_…`"}


class StaffSessionScheme(OpenApiAuthenticationExtension):
    """A staff member's session of the admin site."""

    target_class = "tenants.authentication.StaffSessionAuthentication"
    name = "staffSession"

    def get_security_definition(self, auto_schema: Any) -> Schema:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": "Signed in at /admin/ as staff."}


def without_internal_paths(endpoints: list[tuple[Any, ...]], **_: Any) -> list[tuple[Any, ...]]:
    """Preprocessing hook: what pods call is no part of the public API."""
    return [endpoint for endpoint in endpoints if not endpoint[0].startswith("/runner/")]


def document_errors(result: Schema, generator: SchemaGenerator, request: Request | None, public: bool) -> Schema:
    """Postprocessing hook: every operation names the errors it can give, all of one shape.

    What follows from the operation itself (a key, a body, a path's id) is added here. A view that also gives 409
    says so with `extend_schema(responses={409: None})`; the empty answer is filled in.
    """
    result.setdefault("components", {}).setdefault("schemas", {})["Error"] = ERROR_SCHEMA
    for path, item in result["paths"].items():
        for method in METHODS:
            if method in item:
                _document(item[method], path)
    return result


def _document(operation: Schema, path: str) -> None:
    responses = operation["responses"]
    wanted = {"406"}
    if any(operation.get("security", [])):
        wanted |= {"401", "403", "429", "503"}
    if "{" in path:
        wanted.add("404")
    if any(parameter["in"] in {"query", "header"} for parameter in operation.get("parameters", [])):
        wanted.add("400")
    if "requestBody" in operation:
        wanted |= {"400", "413", "415", "422"}
    for status, described in responses.items():
        if status in ERRORS and not described.get("content"):
            wanted.add(status)
    for status in wanted:
        if not responses.get(status, {}).get("content"):
            responses[status] = _answer(status)
    operation["responses"] = dict(sorted(responses.items()))


def _answer(status: str) -> Schema:
    description, code, message = ERRORS[status]
    answer: Schema = {
        "description": description,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Error"},
                "example": {"error": {"code": code, "message": message, "details": []}},
            }
        },
    }
    if status in {"429", "503"}:
        answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
    return answer
