"""Which service, and with whose key: of the environment, of the CI system, or of an earlier login."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace

from . import ci, device, profiles
from .api import Client
from .errors import ApiProblem
from .tokens import Renewed, Traded, key_for, key_for_token


def connect(profile: str | None = None, *, patience_s: float = 60.0) -> Client:
    """The client for the profile of that name; without a name for SUMOK8_URL with SUMOK8_API_KEY or a CI system's
    token, else for the profile of the last `sumok8 login`. Keys that end are renewed. Raises ApiProblem."""
    url = os.environ.get("SUMOK8_URL", "").rstrip("/") if profile is None else ""
    key = os.environ.get("SUMOK8_API_KEY", "") if profile is None else ""
    if url and key:
        return Client(url, key, patience_s=patience_s)
    if url and (traded := _of_ci(url, patience_s)):
        return Client(url, traded, patience_s=patience_s)
    name = profile or profiles.current()
    if name is None:
        raise ApiProblem(f"Which service? {profiles.HOW}")
    kept = profiles.find(name)
    if url and url != kept.url:  # a key is only ever sent to the address that it was stored for
        raise ApiProblem(f"SUMOK8_URL is {url}, and no key is known for it. {profiles.HOW}")
    if key:
        return Client(kept.url, key, patience_s=patience_s)
    if kept.ends_at is None:
        return Client(kept.url, kept.key, patience_s=patience_s)
    return Client(kept.url, Renewed(lambda: _again(name, patience_s), kept.traded), patience_s=patience_s)


def _of_ci(url: str, patience_s: float) -> Renewed | None:
    tenant = os.environ.get("SUMOK8_TENANT") or None
    if fresh := ci.token_of(url):
        return Renewed(lambda: key_for(url, fresh, tenant=tenant, patience_s=patience_s))
    if not (token := os.environ.get("SUMOK8_TOKEN")):
        return None
    digest = ci.digest(url, token)

    def traded() -> Traded:
        """Kept for the commands after this one: the token is good for one trade."""
        with profiles.locked():
            known = profiles.remembered(digest)
            if known and known.is_fresh:
                return known
            try:
                known = key_for_token(url, token, tenant=tenant, patience_s=patience_s)
            except ApiProblem as problem:
                if problem.code == "token.used":
                    raise ApiProblem(ci.SPENT, status=problem.status, code=problem.code) from None
                raise
            with suppress(ApiProblem):
                profiles.remember(digest, known)
            return known

    return Renewed(traded)


def _again(name: str, patience_s: float) -> Traded:
    """Another key for a profile, unless another command has made one meanwhile."""
    with profiles.locked():
        kept = profiles.find(name)
        if kept.traded.is_fresh:
            return kept.traded
        if kept.sign_in is None:
            raise ApiProblem(f"Your sign-in has ended. Sign in again: sumok8 login {kept.url}", code="signed_out")

        place = kept.sign_in

        def fresh() -> str:
            nonlocal kept, place
            place, token = device.renewed(place)
            kept = replace(kept, sign_in=place)
            profiles.keep(name, kept)  # at once: the refresh token before it may be void
            return token

        traded = key_for(kept.url, fresh, tenant=place.tenant, patience_s=patience_s)
        profiles.keep(name, replace(kept, key=traded.key, ends_at=traded.ends_at))
        return traded
