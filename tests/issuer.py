"""A small issuer of the tests' own: a real HTTP server on the loopback address with real keys."""

import base64
import hashlib
import json
import threading
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pytest_django import Settings

AUDIENCE = "https://sumo.example.org"
ENDS = ("authorization", "device_authorization", "token", "revocation")


def public(key: Any, kid: str) -> dict[str, Any]:
    """As a key set publishes it."""
    return jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": kid, "use": "sig"}


@dataclass
class Issuer:
    """Signs what it is told to; `asked` are the paths that were fetched."""

    url: str = ""
    kid: str = "first"
    key: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    is_down: bool = False
    padding: int = 0  # bytes of nonsense in the key set
    named: str = ""  # in the discovery document, instead of its own name
    asked: list[str] = field(default_factory=list)
    published: list[dict[str, Any]] = field(default_factory=list)
    claims: dict[str, Any] = field(default_factory=dict)  # of the next sign-in's ID token
    forms: list[dict[str, str]] = field(default_factory=list)  # what the token endpoint got
    id_token: str = ""  # instead of a proper one
    challenge: str = ""  # of the sign-in that is under way
    groups: list[str] = field(default_factory=list)  # of who signs in by a browser
    device: list[str] = field(default_factory=list)  # what a device is told before its person has agreed
    refreshed: int = 0  # refresh tokens that were given; only the newest is good, once

    def __post_init__(self) -> None:
        self.published = [public(self.key, self.kid)]

    def rotate(self, kid: str) -> None:
        self.kid, self.key = kid, ec.generate_private_key(ec.SECP256R1())
        self.published = [public(self.key, kid)]

    def token(self, *, head: dict[str, Any] | None = None, **claims: Any) -> str:
        now = int(time.time())
        whole = {"iss": self.url, "sub": "repo:city/model", "aud": AUDIENCE, "iat": now, "exp": now + 300} | claims
        whole = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode(whole, self.key, algorithm="ES256", headers={"kid": self.kid} | (head or {}))

    def agree(self, asked: dict[str, str]) -> str:
        """Where a browser is sent once its person has signed in here, which all do at once."""
        self.challenge = asked["code_challenge"]
        person = {"sub": "nora-1", "preferred_username": "nora", "groups": self.groups}
        self.claims = person | {"aud": asked["client_id"], "nonce": asked["nonce"]}
        told = urllib.parse.urlencode({"code": "c", "state": asked["state"], "iss": self.url})
        return f"{asked['redirect_uri']}?{told}"

    def devices(self, path: str, form: dict[str, str]) -> dict[str, Any]:
        """RFC 8628, for the public client `cli`."""
        assert form["client_id"] == "cli"
        if path == "/device_authorization":
            page = {"verification_uri": f"{self.url}/enter", "verification_uri_complete": f"{self.url}/enter?c=WDJB"}
            return {"device_code": "d", "user_code": "WDJB", "expires_in": 60, "interval": 0, **page}
        if path == "/revocation":
            return {}
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] != f"refresh-{self.refreshed}":
                return {"error": "invalid_grant"}
        elif self.device:
            return {"error": self.device.pop(0)}
        self.refreshed += 1
        token = self.token(aud="cli", sub="nora-1", groups=self.groups, jti=f"{self.url} {self.refreshed}")
        return {"id_token": token, "refresh_token": f"refresh-{self.refreshed}", "token_type": "Bearer"}

    def answer(self, path: str, form: dict[str, str]) -> dict[str, Any] | None:
        if path == "/.well-known/openid-configuration":
            ends = {f"{name}_endpoint": f"{self.url}/{name}" for name in ENDS}
            return {"issuer": self.named or self.url, "jwks_uri": f"{self.url}/keys", **ends}
        if path == "/keys":
            return {"keys": self.published, "padding": "x" * self.padding}
        if path == "/runner":  # of a CI job, which names the audience
            return {"value": self.token(aud=form["audience"], jti=str(len(self.asked)))}
        if path in {"/token", "/device_authorization", "/revocation"}:
            self.forms.append(form)
            if form.get("client_id") == "cli":
                return self.devices(path, form)
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != self.challenge:
                return None
            return {"id_token": self.id_token or self.token(**self.claims), "token_type": "Bearer"}
        return None


@pytest.fixture
def issuer(settings: Settings) -> Iterator[Issuer]:
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    own = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            own.asked.append(self.path)
            path, _, query = self.path.partition("?")
            if path == "/authorization":
                self.send_response(302)
                self.send_header("Location", own.agree(dict(urllib.parse.parse_qsl(query))))
                self.end_headers()
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            found = None if own.is_down else own.answer(path, dict(urllib.parse.parse_qsl(body or query)))
            self.send_response(503 if found is None else 400 if "error" in found else 200)
            self.end_headers()
            self.wfile.write(json.dumps(found).encode())

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    own.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield own
    server.shutdown()
    thread.join()
    server.server_close()
