"""A token of an identity provider, traded for an API key that ends in a quarter of an hour (RFC 8693)."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any, Callable
from urllib.parse import urlencode

from .errors import ApiProblem
from .transport import Transport

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT = "urn:ietf:params:oauth:token-type:jwt"
MARGIN_S = 90.0  # before a key's end: longer than a request may take


@dataclass(frozen=True)
class Traded:
    """A key and when it ends, by the clock of this machine."""

    key: str
    ends_at: float

    @property
    def is_fresh(self) -> bool:
        return self.ends_at - time.time() > MARGIN_S


class Renewed:
    """The key for each request: the one there is, or another from `obtain` before that one ends."""

    def __init__(self, obtain: Callable[[], Traded], known: Traded | None = None) -> None:
        self._obtain, self._known, self._lock = obtain, known, threading.Lock()

    def __call__(self) -> str:
        with self._lock:
            if self._known is None or not self._known.is_fresh:
                self._known = self._obtain()
            return self._known.key


def key_for_token(url: str, token: str, *, tenant: str | None = None, patience_s: float = 60.0) -> Traded:
    """Each token is taken once. `tenant`: where several trust this token. Raises ApiProblem."""
    fields = {"grant_type": EXCHANGE, "subject_token": token, "subject_token_type": JWT}
    if tenant:
        fields["audience"] = tenant
    now = time.time()
    told = form(Transport(url, None, patience_s=patience_s), "/token", fields)
    key, lives_s = told.get("access_token"), told.get("expires_in")
    if not isinstance(key, str) or not isinstance(lives_s, (int, float)):
        raise ApiProblem(f"{url} did not answer as SUMO-K8 does; is the address right?")
    return Traded(key, now + lives_s)


def key_for(url: str, fresh: Callable[[], str], *, tenant: str | None = None, patience_s: float = 60.0) -> Traded:
    """As `key_for_token`, with a token of `fresh`. Where an answer was lost on its way, the token is spent: then with
    another one."""
    token = fresh()
    try:
        return key_for_token(url, token, tenant=tenant, patience_s=patience_s)
    except ApiProblem as problem:
        if problem.code != "token.used" or (another := fresh()) == token:
            raise
        return key_for_token(url, another, tenant=tenant, patience_s=patience_s)


def form(transport: Transport, path: str, fields: dict[str, str]) -> dict[str, Any]:
    """The object that answers a form. Raises ApiProblem."""
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    told = transport.sent("POST", path, urlencode(fields).encode(), kind)
    if not isinstance(told, dict):
        raise ApiProblem(f"{transport.base_url} answered with something other than a JSON object.")
    return told
