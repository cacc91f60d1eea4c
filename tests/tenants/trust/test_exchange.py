"""Tokens are traded for short-lived keys: whose, which, how often, and while their issuer is away."""

import base64
import hmac
import json
import time
import warnings
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from django.core.exceptions import ValidationError
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from tenants.egress import fetching
from tenants.members import Role
from tenants.models import ApiKey, IssuerKeys, Tenant, TrustedIssuer, UsedToken
from tenants.trust import exchange, issuers
from tenants.trust.api import EXCHANGE, JWT
from tests.conftest import client_with
from tests.issuer import AUDIENCE, Issuer, public
from tests.issuer import issuer as issuer

pytestmark = pytest.mark.django_db
CLAIMS = {"sub": "repo:city/model"}


@pytest.fixture
def trust(issuer: Issuer, tenant: Tenant) -> TrustedIssuer:
    return TrustedIssuer.objects.create(tenant=tenant, issuer=issuer.url, audience=AUDIENCE, claims=CLAIMS)


def ask(token: str, **more: str) -> tuple[int, dict[str, Any]]:
    form = {"grant_type": EXCHANGE, "subject_token": token, "subject_token_type": JWT, **more}
    body = "&".join(f"{name}={value}" for name, value in form.items())
    answer = APIClient().post("/token", body, content_type="application/x-www-form-urlencoded")
    return answer.status_code, answer.json()


def code_of(token: str, **more: str) -> tuple[int, str]:
    status, told = ask(token, **more)
    return status, told.get("error", {}).get("code", "")


def test_a_token_becomes_a_key_for_a_quarter_of_an_hour(issuer: Issuer, trust: TrustedIssuer) -> None:
    status, told = ask(issuer.token())
    assert (status, told["token_type"], told["expires_in"]) == (200, "Bearer", 900)
    row = ApiKey.objects.get()
    assert (row.tenant_id, row.role, row.label, row.trust) == ("city-a", "engineer", "token: repo:city/model", trust)
    assert timedelta(minutes=14) < row.expires_at - timezone.now() <= timedelta(minutes=15)
    assert client_with(told["access_token"]).get("/jobs").status_code == 200
    with pytest.raises(ValidationError, match="trade another"):  # else it would become one for good
        row.rotate(overlap=timedelta())
    trust.delete()
    assert client_with(told["access_token"]).get("/jobs").status_code == 401


@pytest.mark.parametrize("with_jti", [True, False])
def test_a_token_is_taken_once(issuer: Issuer, trust: TrustedIssuer, with_jti: bool) -> None:
    token = issuer.token(jti="42" if with_jti else None)
    assert ask(token)[0] == 200
    assert code_of(token) == (401, "token.used")
    if with_jti:
        assert code_of(issuer.token(jti="42", nbf=1)) == (401, "token.used")
    assert code_of(issuer.token(jti="43")) == (200, "")
    assert ApiKey.objects.count() == 2


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def forged(issuer: Issuer, kind: str) -> str:
    now = int(time.time())
    claims = part({"iss": issuer.url, "sub": CLAIMS["sub"], "aud": AUDIENCE, "iat": now, "exp": now + 60})
    match kind:
        case "none":
            return f"{part({'alg': 'none', 'kid': issuer.kid})}.{claims}."
        case "HS256 with the public key":  # by hand: libraries refuse to make one
            signed = f"{part({'alg': 'HS256', 'kid': issuer.kid})}.{claims}"
            mac = hmac.digest(json.dumps(issuer.published[0]).encode(), signed.encode(), "sha256")
            return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
        case "another key":
            issuer.key = ec.generate_private_key(ec.SECP256R1())
            return issuer.token()
        case "critical header":
            return issuer.token(head={"crit": ["exp"], "exp": 1})
    return kind


@pytest.mark.parametrize(
    "kind, code",
    [
        ("none", "token.algorithm"),
        ("HS256 with the public key", "token.algorithm"),
        ("another key", "token.signature"),
        ("critical header", "token.malformed"),
        ("a.b.c", "token.malformed"),
        ("x" * 8193, ""),
    ],
)
def test_forged_tokens(issuer: Issuer, trust: TrustedIssuer, kind: str, code: str) -> None:
    status, found = code_of(forged(issuer, kind))
    assert (status, found) == ((401, code) if code else (400, "invalid"))
    assert not ApiKey.objects.exists()
    assert not UsedToken.objects.exists()


@pytest.mark.parametrize(
    "algorithm, make, status",
    [
        ("RS256", lambda: rsa.generate_private_key(65537, 2048), 200),
        ("RS256", lambda: rsa.generate_private_key(65537, 1024), 401),
        ("ES384", lambda: ec.generate_private_key(ec.SECP384R1()), 200),
        ("EdDSA", ed25519.Ed25519PrivateKey.generate, 200),
    ],
)
def test_kinds_of_keys(issuer: Issuer, trust: TrustedIssuer, algorithm: str, make: Any, status: int) -> None:
    key, claims = make(), jwt.decode(issuer.token(), options={"verify_signature": False})
    kind = jwt.get_algorithm_by_name(algorithm)
    issuer.published.insert(0, kind.to_jwk(key.public_key(), as_dict=True) | {"kid": "new"})
    with warnings.catch_warnings(action="ignore"):  # of a key that is too short
        token = jwt.encode(claims, key, algorithm=algorithm, headers={"kid": "new"})
    assert ask(token)[0] == status


@pytest.mark.parametrize(
    "claims, code",
    [
        ({"aud": "https://elsewhere.example.org"}, "token.audience"),
        ({"iss": "https://elsewhere.example.org"}, "token.untrusted"),
        ({"iss": "a\0b"}, "token.untrusted"),
        ({"sub": "repo:city/model:fork"}, "token.untrusted"),
        ({"sub": None}, "token.claims"),
        ({"exp": None}, "token.claims"),
        ({"exp": int(time.time()) + 90_000}, "token.too_long"),
        ({"exp": int(time.time()) - 3600}, "token.expired"),
        ({"nbf": int(time.time()) + 3600}, "token.too_early"),
    ],
)
def test_what_is_claimed(issuer: Issuer, trust: TrustedIssuer, claims: dict[str, Any], code: str) -> None:
    assert code_of(issuer.token(**claims)) == (401, code)


@pytest.mark.parametrize("off, status", [(-50, 200), (50, 200), (-75, 401), (75, 401)])
def test_clocks_may_differ_by_a_minute(issuer: Issuer, trust: TrustedIssuer, off: int, status: int) -> None:
    then = int(time.time()) + off
    told = {"exp": then} if off < 0 else {"iat": then, "nbf": then, "exp": then + 300}
    assert ask(issuer.token(**({"iat": then - 300} | told)))[0] == status


def test_keys_are_kept_and_rotation_is_noticed(issuer: Issuer, trust: TrustedIssuer) -> None:
    assert ask(issuer.token())[0] == 200
    assert ask(issuer.token(jti="2"))[0] == 200
    assert issuer.asked == ["/.well-known/openid-configuration", "/keys"]
    issuer.rotate("second")
    IssuerKeys.objects.update(tried_at=timezone.now() - issuers.ASKED_EVERY - timedelta(seconds=1))
    assert ask(issuer.token(jti="3"))[0] == 200
    assert issuer.asked.count("/keys") == 2


def test_a_flood_of_unknown_keys_asks_the_issuer_once(issuer: Issuer, trust: TrustedIssuer) -> None:
    for n in range(10):
        assert code_of(issuer.token(head={"kid": f"made-up-{n}"})) == (401, "token.unknown_key")
    assert issuer.asked.count("/keys") == 1


def test_who_guesses_is_slowed_down(issuer: Issuer, trust: TrustedIssuer, settings: Settings) -> None:
    settings.RATE_LIMIT_FAILED_KEYS_PER_MINUTE = 3
    found = [code_of("a.b.c")[0] for _ in range(5)]
    assert found == [401, 401, 401, 429, 429]
    assert ask(issuer.token())[0] == 200  # a right one from there is taken


def test_a_used_token_costs_its_sender_not_its_tenant(issuer: Issuer, trust: TrustedIssuer, settings: Settings) -> None:
    settings.RATE_LIMIT_FAILED_KEYS_PER_MINUTE, settings.RATE_LIMIT_BURST = 3, 2
    token = issuer.token()
    assert [ask(token)[0] for _ in range(5)] == [200, 401, 401, 401, 429]
    assert ask(issuer.token(jti="another"))[0] == 200


def test_an_issuer_that_is_away(issuer: Issuer, trust: TrustedIssuer) -> None:
    def asked_before(hours: float) -> None:
        then = timezone.now() - timedelta(hours=hours)
        IssuerKeys.objects.update(fetched_at=then, tried_at=then)

    assert ask(issuer.token(jti="1"))[0] == 200
    issuer.is_down = True
    asked_before(23)
    assert ask(issuer.token(jti="2"))[0] == 200
    assert code_of(issuer.token(head={"kid": "unheard-of"})) == (503, "token.issuer_away")
    asked_before(25)
    assert code_of(issuer.token(jti="3")) == (503, "token.issuer_away")
    assert IssuerKeys.objects.get().problem == "The answer was 503."
    issuer.is_down = False
    asked_before(25)
    assert ask(issuer.token(jti="3"))[0] == 200


def test_what_an_issuer_may_answer_is_bounded(issuer: Issuer, trust: TrustedIssuer) -> None:
    def problem() -> str:
        IssuerKeys.objects.all().delete()
        assert code_of(issuer.token()) == (503, "token.issuer_away")
        return IssuerKeys.objects.get().problem

    issuer.padding = fetching.MAX_HEAD + fetching.MAX_BODY
    assert problem() == "The answer is larger than 256 KiB."
    issuer.padding, issuer.published = 0, [public(issuer.key, "first")] * 101
    assert "from 1 to 100 keys" in problem()
    issuer.published = [{"kid": "\ud800"}]  # which PostgreSQL keeps in no JSON
    assert problem() == "Its answer is not JSON."
    issuer.published, issuer.named = [], "https://elsewhere.example.org"
    assert problem() == "Its discovery document names another issuer."


def test_inside_is_not_asked(issuer: Issuer, trust: TrustedIssuer, settings: Settings) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    assert code_of(issuer.token()) == (503, "token.issuer_away")
    assert issuer.asked == []


def test_whose_key_it_is(issuer: Issuer, trust: TrustedIssuer, other_tenant: Tenant) -> None:
    same = {"issuer": issuer.url, "audience": AUDIENCE, "claims": CLAIMS}
    TrustedIssuer.objects.create(tenant=other_tenant, role=Role.VIEWER, **same)
    TrustedIssuer.objects.create(tenant=other_tenant, role=Role.OWNER, **same | {"claims": {"ref": "main"}})
    assert code_of(issuer.token(ref="main")) == (400, "token.ambiguous")
    told = ask(issuer.token(ref="main"), audience="city-b")[1]
    assert (told["tenant_id"], told["role"]) == ("city-b", "owner")
    assert code_of(issuer.token(), audience="city-c") == (401, "token.untrusted")
    Tenant.objects.filter(pk="city-b").update(is_active=False)
    assert code_of(issuer.token(), audience="city-b") == (401, "token.untrusted")


def test_what_has_ended_is_forgotten(issuer: Issuer, trust: TrustedIssuer) -> None:
    ask(issuer.token(jti="1"))
    old = timezone.now() - exchange.REMEMBERED_FOR - timedelta(hours=1)
    ApiKey.objects.update(expires_at=old)
    UsedToken.objects.update(expires_at=old)
    ask(issuer.token(jti="2"))
    assert (ApiKey.objects.count(), UsedToken.objects.count()) == (1, 1)


@pytest.mark.parametrize("claims", [{}, {"sub": ""}, {"sub": ["a"]}, [], {"n": 1.5}])
def test_a_trust_needs_claims(issuer: Issuer, tenant: Tenant, claims: Any) -> None:
    row = TrustedIssuer(tenant=tenant, issuer=issuer.url, audience=AUDIENCE, claims=claims)
    with pytest.raises(ValidationError):
        row.full_clean()


@pytest.mark.parametrize(
    "body, kind, status",
    [
        ("{}", "application/json", 415),
        ("grant_type=a&grant_type=b", "application/x-www-form-urlencoded", 400),
        ("&".join(f"a{n}=1" for n in range(30)), "application/x-www-form-urlencoded", 400),
        ("a=%ff", "application/x-www-form-urlencoded", 400),
        ("subject_token=" + "x" * 17_000, "application/x-www-form-urlencoded", 413),
    ],
)
def test_what_is_no_request_for_a_key(body: str, kind: str, status: int) -> None:
    answer = APIClient().post("/token", body, content_type=kind)
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"code", "message", "details"}
