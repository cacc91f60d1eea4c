"""A person's sign-in at the service's identity provider, from a terminal: OAuth's device flow (RFC 8628)."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Callable
from urllib.parse import urlsplit

from .errors import ApiProblem
from .tokens import form
from .transport import Transport

METADATA = "/.well-known/oauth-protected-resource"  # RFC 9728
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
LONGEST_WAIT_S = 1800.0
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class SignIn:
    """Where it was, and what gives further tokens without the person: empty if the provider keeps none."""

    issuer: str
    client_id: str
    refresh_token: str = ""
    scope: str = "openid"
    tenant: str | None = None


@dataclass(frozen=True)
class Prompt:
    """What a person is told: open this page, and enter this code."""

    url: str
    code: str
    with_code: str  # the page that has the code already, or empty


def offered(url: str) -> SignIn | None:
    """Where people of this service sign in; None if it takes API keys alone."""
    try:
        told = Transport(url, None, patience_s=10).json("GET", METADATA)
    except ApiProblem as problem:
        if problem.status == 404:
            return None
        raise
    try:
        [issuer], client_id, scopes = told["authorization_servers"], told["device_client_id"], told["scopes_supported"]
        return SignIn(_safe(issuer), _word(client_id), scope=" ".join(map(_word, scopes)))
    except (KeyError, TypeError, ValueError):
        raise ApiProblem(f"{url} does not say as SUMO-K8 does where to sign in.") from None


def sign_in(place: SignIn, ask: Callable[[Prompt], None]) -> tuple[SignIn, str]:
    """Itself with a refresh token, and an ID token, once the person has agreed. Raises ApiProblem."""
    known = _discovered(place.issuer)
    transport = Transport(place.issuer, None)
    scope = place.scope
    if "offline_access" in known.get("scopes_supported", ()) and "offline_access" not in scope.split():
        scope += " offline_access"
    begun = form(transport, _endpoint(known, "device_authorization"), {"client_id": place.client_id, "scope": scope})
    try:
        code, prompt = str(begun["device_code"]), _prompt(begun)
        pause, lasts = float(begun.get("interval", 5)), min(float(begun["expires_in"]), LONGEST_WAIT_S)
    except (KeyError, TypeError, ValueError):
        raise ApiProblem(f"{place.issuer} does not begin a sign-in as RFC 8628 says.") from None
    ask(prompt)
    fields = {"grant_type": DEVICE_CODE, "device_code": code, "client_id": place.client_id}
    until = time.monotonic() + lasts
    while time.monotonic() < until:
        time.sleep(min(max(pause, 0.1), 60))
        try:
            told = form(transport, _endpoint(known, "token"), fields)
        except ApiProblem as problem:
            if problem.code == "slow_down":
                pause += 5
            elif problem.code == "access_denied":
                raise ApiProblem("The sign-in was refused at the identity provider.") from None
            elif problem.code == "expired_token":
                break
            elif problem.code != "authorization_pending":
                raise
            continue
        return _tokens(place, told)
    raise ApiProblem("Nobody entered the code in time. Sign in again.")


def renewed(place: SignIn) -> tuple[SignIn, str]:
    """As `sign_in`, without the person. Raises ApiProblem where that is over."""
    if not place.refresh_token:
        raise ApiProblem("Your sign-in has ended, and the identity provider gives no longer ones. Sign in again.")
    fields = {"grant_type": "refresh_token", "refresh_token": place.refresh_token, "client_id": place.client_id}
    try:
        told = form(Transport(place.issuer, None), _endpoint(_discovered(place.issuer), "token"), fields)
    except ApiProblem as problem:
        if problem.code == "invalid_grant":
            raise ApiProblem(f"Your sign-in at {place.issuer} has ended. Sign in again.", code="signed_out") from None
        raise
    return _tokens(place, told)


def sign_out(place: SignIn) -> None:
    """Tell the provider that the refresh token is not needed any more (RFC 7009), if it wants to know."""
    with suppress(ApiProblem):
        known = _discovered(place.issuer)
        fields = {"token": place.refresh_token, "token_type_hint": "refresh_token", "client_id": place.client_id}
        form(Transport(place.issuer, None, patience_s=5), _endpoint(known, "revocation"), fields)


def _discovered(issuer: str) -> dict[str, Any]:
    told = Transport(_safe(issuer), None).json("GET", "/.well-known/openid-configuration")
    if not isinstance(told, dict) or told.get("issuer") != issuer:
        raise ApiProblem(f"{issuer} does not describe itself as OpenID Connect says.")
    return told


def _endpoint(known: dict[str, Any], name: str) -> str:
    url = known.get(f"{name}_endpoint")
    if not isinstance(url, str):
        raise ApiProblem(f"The identity provider {known['issuer']} has no {name} endpoint.")
    return _safe(url)


def _safe(url: str) -> str:
    """Tokens go over TLS, or do not leave the machine."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ApiProblem(f"{url!r} is not an https address, and tokens would be read on the way.")
    return url


def _prompt(begun: dict[str, Any]) -> Prompt:
    """Only what may be printed: it comes from elsewhere."""
    whole = begun.get("verification_uri_complete") or ""
    prompt = Prompt(_word(begun["verification_uri"]), str(begun["user_code"])[:100], _word(whole) if whole else "")
    if not prompt.code.isprintable() or not all(
        each.startswith("http") for each in (prompt.url, prompt.with_code or "http")
    ):
        raise ValueError("not for a terminal")
    return prompt


def _word(text: Any) -> str:
    if not isinstance(text, str) or not 0 < len(text) <= 2000 or any(not "!" <= sign <= "~" for sign in text):
        raise ValueError("not one word")
    return text


def _tokens(place: SignIn, told: dict[str, Any]) -> tuple[SignIn, str]:
    token = told.get("id_token")
    if not isinstance(token, str):
        raise ApiProblem(f"{place.issuer} gave no ID token, which says who you are. Sign in again.")
    kept = told.get("refresh_token")  # another one, or the same goes on
    return replace(place, refresh_token=kept) if isinstance(kept, str) and kept else place, token
