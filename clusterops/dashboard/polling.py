"""Fragments that are polled: sent again only if they say something new."""

import re
from hashlib import sha256

from django.http import HttpRequest, HttpResponse

SEEN = "X-Seen"  # both ways; not ETag, which proxies that compress rewrite
TICKING = re.compile(rb"(<time\b[^>]*>)[^<]*")  # how long ago: live.js lets it tick


def unless_seen(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The response, or 204 if the page has it already. One that ends the polling is always sent."""
    tag = sha256(TICKING.sub(rb"\1", response.content)).hexdigest()[:16]
    if response.status_code == 200 and request.headers.get(SEEN) == tag:
        response = HttpResponse(status=204)
    response[SEEN] = tag
    return response
