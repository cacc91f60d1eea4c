"""A token of an identity provider, traded for an API key that ends in a quarter of an hour (RFC 8693)."""

from __future__ import annotations

from urllib.parse import urlencode

from .errors import ApiProblem
from .transport import Transport

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT = "urn:ietf:params:oauth:token-type:jwt"


def key_for_token(url: str, token: str, *, tenant: str | None = None, patience_s: float = 60.0) -> str:
    """The key; each token is taken once. `tenant`: where several trust this token. Raises ApiProblem."""
    form = {"grant_type": EXCHANGE, "subject_token": token, "subject_token_type": JWT}
    if tenant:
        form["audience"] = tenant
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    told = Transport(url, None, patience_s=patience_s).sent("POST", "/token", urlencode(form).encode(), kind)
    if not isinstance(told, dict) or not isinstance(told.get("access_token"), str):
        raise ApiProblem(f"{url} did not answer as SUMO-K8 does; is the address right?")
    return told["access_token"]
