"""Sign-in at the operator's identity provider: OpenID Connect's authorization code flow with PKCE.

Tokens are checked as those of programs are (`tenants.trust.tokens`), and the provider is called through the same vetted
egress, bounded in time and bytes.
"""

import base64
import hashlib
import hmac
import json
import logging
import secrets
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.contrib.auth import login
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_safe

from tenants import parsers, throttling
from tenants.egress.destinations import NotAllowed, parse
from tenants.egress.fetching import Unreachable, fetch
from tenants.errors import ApiError
from tenants.trust import issuers, people, tokens

log = logging.getLogger("sumok8.oidc")

COOKIE, SALT = "sumok8_oidc", "sumok8.oidc"
PATIENCE_S = 600  # for passwords and second factors at the provider
AWAY = "The identity provider does not answer at the moment. Try again in a minute."
STALE = "This sign-in was begun too long ago, in another browser, or twice. Begin anew."
REFUSED = "The identity provider did not complete the sign-in."


class Problem(Exception):
    """Told on a page of its own."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@require_safe
def begin(request: HttpRequest) -> HttpResponse:
    """To the provider. What must come back is kept in a signed cookie: strangers write no rows here."""
    _only_if_set()
    try:
        found = _provider()
        parse(found.get("authorization_endpoint", ""))
    except NotAllowed:
        return _told(request, Problem(503, AWAY))
    except Problem as problem:
        return _told(request, problem)
    kept = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
    digest = hashlib.sha256(kept["verifier"].encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": settings.OIDC_CLIENT_ID,
        "redirect_uri": _callback(request),
        "scope": settings.OIDC_SCOPES,
        "state": kept["state"],
        "nonce": kept["nonce"],
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    endpoint = found["authorization_endpoint"]
    response = redirect(f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}")
    response.set_signed_cookie(
        COOKIE,
        json.dumps(kept | {"next": request.GET.get("next", "")[:500]}),
        salt=SALT,
        max_age=PATIENCE_S,
        path=reverse("oidc"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


@require_safe
def finish(request: HttpRequest) -> HttpResponse:
    """Back from the provider, with a code that only we can trade for who it is."""
    _only_if_set()
    try:
        kept = _kept(request)
        _count(request)
        token = tokens.verify(
            _id_token(request, kept), issuer=settings.OIDC_ISSUER, audiences=[settings.OIDC_CLIENT_ID]
        )
        if not hmac.compare_digest(str(token.claims.get("nonce", "")).encode(), kept["nonce"].encode()):
            raise Problem(400, STALE)
        if token.claims.get("azp", settings.OIDC_CLIENT_ID) != settings.OIDC_CLIENT_ID:
            raise Problem(400, REFUSED)
        user = people.signed_in(token)
    except Problem as problem:
        return _told(request, problem)
    except ApiError as error:
        return _told(request, Problem(error.status_code, AWAY if error.status_code == 503 else error.message))
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    wanted = kept["next"]
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    response = redirect(wanted if is_ours else reverse("front"))
    response.delete_cookie(COOKIE, path=reverse("oidc"))
    return response


def _only_if_set() -> None:
    if not settings.OIDC_ISSUER:
        raise Http404


def _callback(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("oidc-back"))


def _provider() -> dict[str, Any]:
    try:
        return dict(issuers.known(settings.OIDC_ISSUER).discovery)
    except ApiError:
        raise Problem(503, AWAY) from None


def _kept(request: HttpRequest) -> dict[str, str]:
    """What `begin` kept, if this is the answer to it."""
    try:
        kept: dict[str, str] = json.loads(str(request.get_signed_cookie(COOKIE, salt=SALT, max_age=PATIENCE_S)))
    except (KeyError, signing.BadSignature, ValueError):
        raise Problem(400, STALE) from None
    if not hmac.compare_digest(request.GET.get("state", "").encode(), kept["state"].encode()):
        raise Problem(400, STALE)
    if request.GET.get("iss", settings.OIDC_ISSUER) != settings.OIDC_ISSUER or "code" not in request.GET:
        raise Problem(403 if request.GET.get("error") == "access_denied" else 400, REFUSED)
    return kept


def _count(request: HttpRequest) -> None:
    """Each of these makes us call the provider."""
    limit = throttling.of_failed_keys()
    bucket = f"sign-in:{throttling.bucket_of_address(request.META.get('REMOTE_ADDR', ''))}"
    if limit and not throttling.count(bucket, limit).allowed:
        raise Problem(429, "Too many sign-ins came from your address. Try again in a minute.")


def _id_token(request: HttpRequest, kept: dict[str, str]) -> str:
    found = _provider()
    form = {
        "grant_type": "authorization_code",
        "code": request.GET["code"][:2000],
        "redirect_uri": _callback(request),
        "code_verifier": kept["verifier"],
    }
    headers = {}
    ways = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    if settings.OIDC_CLIENT_SECRET and "client_secret_basic" in ways:
        pair = f"{quote(settings.OIDC_CLIENT_ID, safe='')}:{quote(settings.OIDC_CLIENT_SECRET, safe='')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        form["client_id"] = settings.OIDC_CLIENT_ID
        if settings.OIDC_CLIENT_SECRET:
            form["client_secret"] = settings.OIDC_CLIENT_SECRET
    try:
        told = parsers.parse(fetch(found.get("token_endpoint", ""), form=form, headers=headers))
    except Unreachable as error:
        log.warning("The identity provider gave no token for a code: %s", error)
        refused = error.status is not None and 400 <= error.status < 500
        raise Problem(400, REFUSED) if refused else Problem(503, AWAY) from None
    except ValueError:
        raise Problem(503, AWAY) from None
    if not isinstance(told, dict) or not isinstance(told.get("id_token"), str):
        raise Problem(400, REFUSED)
    return str(told["id_token"])


def _told(request: HttpRequest, problem: Problem) -> HttpResponse:
    return render(request, "sumok8/sign_in_problem.html", {"message": problem.message}, status=problem.status)
