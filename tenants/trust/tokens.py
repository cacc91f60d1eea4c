"""Whether a JSON Web Token was signed by the issuer that it names, for this audience, and holds now."""

import hashlib
import warnings
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from jwt.warnings import InsecureKeyLengthWarning

from tenants.errors import ApiError
from tenants.trust import issuers

MAX_TOKEN = 8 * 1024
LEEWAY = timedelta(seconds=60)  # between the issuer's clock and ours
LONGEST = timedelta(days=1)  # a token that lives longer is no proof of who calls now
# What key each algorithm takes. Neither `none` nor HMAC, whose “public” key would be the secret.
KEY_OF = {
    **{f"{family}{bits}": ("RSA", None) for family in ("RS", "PS") for bits in (256, 384, 512)},
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}


@dataclass(frozen=True)
class Token:
    """A token that is what it says."""

    issuer: str
    audiences: tuple[str, ...]
    claims: dict[str, Any]
    digest: str  # the same for each copy of it
    ends: datetime

    @property
    def subject(self) -> str:
        return str(self.claims["sub"])


def issuer_of(text: str) -> str:
    """The issuer that a token names, on its word alone: only to look up whether it is trusted. Raises ApiError 401."""
    if len(text) > MAX_TOKEN:
        raise refused("malformed", f"A token has at most {MAX_TOKEN} bytes.")
    try:
        claims = jwt.decode(text, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise refused("malformed", "It is not a signed JSON Web Token.") from None
    issuer = claims.get("iss")
    return issuer if isinstance(issuer, str) and issuer.isprintable() else ""


def verify(text: str, *, issuer: str, audiences: Collection[str]) -> Token:
    """Raises ApiError 401, or 503 while the issuer's keys cannot be had."""
    if len(text) > MAX_TOKEN:
        raise refused("malformed", f"A token has at most {MAX_TOKEN} bytes.")
    try:
        head = jwt.get_unverified_header(text)
        algorithm, kid = str(head.get("alg")), head.get("kid")
        if algorithm not in KEY_OF:
            raise refused("algorithm", f"Its signature's algorithm is not one of {', '.join(KEY_OF)}.")
        key = _key(issuers.known(issuer, kid=kid).keys, kid, algorithm)
        with warnings.catch_warnings():
            warnings.simplefilter("error", InsecureKeyLengthWarning)
            claims = jwt.decode(
                text,
                key,
                algorithms=[algorithm],
                issuer=issuer,
                audience=list(audiences),
                leeway=LEEWAY,
                options={"require": ["iss", "aud", "exp", "iat", "sub"]},
            )
    except jwt.ExpiredSignatureError:
        raise refused("expired", "It has expired.") from None
    except jwt.ImmatureSignatureError:
        raise refused("too_early", "It does not hold yet; is the issuer's clock right?") from None
    except jwt.InvalidAudienceError:
        raise refused("audience", "It is for another audience.") from None
    except jwt.MissingRequiredClaimError as error:
        raise refused("claims", f"It has no claim “{error.claim}”.") from None
    except (jwt.PyJWTError, InsecureKeyLengthWarning, ValueError, TypeError, RecursionError, OverflowError):
        raise refused("signature", "Its signature does not prove that the issuer made it.") from None
    return _checked(text, issuer, claims)


def _checked(text: str, issuer: str, claims: dict[str, Any]) -> Token:
    try:
        ends = datetime.fromtimestamp(int(claims["exp"]), UTC) + LEEWAY
    except (ValueError, OverflowError, OSError):
        ends = datetime.max.replace(tzinfo=UTC)
    if ends - datetime.now(UTC) > LONGEST + 2 * LEEWAY:
        raise refused("too_long", f"It holds for longer than {LONGEST.days * 24} hours.")
    if not 0 < len(claims["sub"]) <= 255 or not claims["sub"].isprintable():
        raise refused("claims", "Its claim “sub” is not from 1 to 255 printable characters.")
    # With a `jti` every token of it is the same one; without, what was signed is: a signature may be written two ways.
    once = claims.get("jti") or text.rpartition(".")[0]
    digest = hashlib.sha256(f"{issuer}\n{once}".encode(errors="surrogatepass")).hexdigest()
    aud = claims["aud"]
    return Token(issuer, tuple(aud) if isinstance(aud, list) else (aud,), claims, digest, ends)


def _key(keys: list[dict[str, Any]], kid: str | None, algorithm: str) -> jwt.PyJWK:
    """The one key that may have signed it. Raises ApiError 401."""
    kty, curve = KEY_OF[algorithm]
    fit = [
        key
        for key in keys
        if key.get("kty") == kty
        and (curve is None or key.get("crv") == curve)
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (kid is None or key.get("kid") == kid)
    ]
    if len(fit) != 1:  # without a `kid` it must be clear which
        raise refused("unknown_key", "The issuer has published no key that it names.")
    return jwt.PyJWK(fit[0], algorithm)


def refused(why: str, message: str) -> ApiError:
    """The 401 for a token, whichever way it came."""
    return ApiError(401, f"token.{why}", f"The token is refused: {message[0].lower()}{message[1:]}")
