"""The question that is asked most, `GET /jobs/{id}`, answered without what only other addresses need: sessions, forms,
pages, and a framework that finds out how an address wants to be asked.

Only the plain case: a good key, its tenant's own job, no query. Whatever else is to be said (401, 404, 429, `wait`, an
unknown type) the view says, and goes on with the key as it was found and counted here. Both answer with the same bytes
and headers.
"""

import re
import uuid
from collections.abc import Callable
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch, resolve
from rest_framework.renderers import JSONRenderer

from simulations.api.serializers import job_as_json
from simulations.models import Job
from simulations.waiting import BESIDE_JOB, line_of
from tenants.authentication import FoundKey, Own, key_of
from tenants.members import Role
from tenants.models import Tenant

JOB = re.compile(r"/jobs/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})")
ACCEPTED = {"", "*/*", "application/json"}
# What the view and the middleware that is passed by would add.
HEADERS = {
    "Content-Type": "application/json",
    "Vary": "Accept",
    "Allow": "GET, HEAD, OPTIONS",
    "X-Frame-Options": "DENY",
}


class OneJobMiddleware:
    """After all that every answer passes, before all that only pages need."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = JOB.fullmatch(request.path_info)
        answer = _answer(request, uuid.UUID(asked[1])) if asked and _is_plain(request) else None
        return answer or self.get_response(request)


def _is_plain(request: HttpRequest) -> bool:
    sent = request.META
    return (
        request.method == "GET"
        and not sent.get("QUERY_STRING")
        and sent.get("CONTENT_LENGTH", "") in ("", "0")
        and "HTTP_TRANSFER_ENCODING" not in sent
        and sent.get("HTTP_ACCEPT", "") in ACCEPTED
    )


def _answer(request: HttpRequest, job_id: uuid.UUID) -> HttpResponse | None:
    request.get_host()  # raises DisallowedHost
    found = key_of(request, Own(Job, job_id, BESIDE_JOB))
    tenant = _tenant_of(request, found)
    job = found.own if found else None
    if found is None or tenant is None or not isinstance(job, Job):
        return None
    job.tenant = tenant
    content = JSONRenderer().render(job_as_json(job, line_of(tenant, found.beside)))
    request.resolver_match = _match()
    return HttpResponse(content, headers={**HEADERS, "Content-Length": str(len(content))})


def _tenant_of(request: HttpRequest, found: FoundKey | None) -> Tenant | None:
    """Of a key that may look; None where the view has to say why not."""
    if found is None or found.row is None or not found.usable or (found.count and not found.count.allowed):
        return None
    tenant: Tenant | None = found.row.tenant
    if tenant is None or not Role(found.row.role).covers(Role.VIEWER):
        return None
    if found.count:
        request.rate_limit = found.count.headers  # type: ignore[attr-defined]
    found.row.touch()
    return tenant


@cache
def _match() -> ResolverMatch:
    """The metrics' name for it."""
    return resolve(f"/jobs/{uuid.UUID(int=0)}")
