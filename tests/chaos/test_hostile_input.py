"""Whatever is sent to the API as it is deployed: 4xx with a code, never 5xx, within flat memory."""

import json
import random
from typing import Any

import pytest

from tests.chaos.served import BODIES, SEED, Report, Served

pytestmark = pytest.mark.django_db  # makes pytest-django create the database that the server uses

VALID = {
    "scenario_id": "town", "cpu_request": 1, "memory_gi": 1, "seed": 1, "begin": 0, "end": 10, "options": {},
    "outputs": [], "labels": {"a": "b"}, "priority": 0, "time_limit_s": 60, "emissions": False, "scale": 1.0,
}  # fmt: skip
POISON: list[Any] = [
    *(None, True, [], {}, "", " ", "\0", "\ud800", "a" * 100_000, "../../etc/passwd", "'; DROP TABLE jobs; --"),
    *(-1, 0, 2**31, 2**63, 2**64, 10**400, 1e308, -0.0, 1e-320, float("nan"), float("inf"), float("-inf")),
    *(
        [[]] * 3,
        {"": ""},
        {"\0": "\0"},
        [None] * 1000,
        {f"k{n}": n for n in range(1000)},
        "²",
        "\uff11\uff12",
        "1e5",
        "0x10",
    ),
]


def poisoned(rng: random.Random) -> bytes:
    """A job with one to three of its fields poisoned, renamed or doubled, as JSON or nearly so."""
    wanted: dict[str, Any] = dict(VALID)
    for _ in range(rng.randint(1, 3)):
        name = rng.choice([*VALID, "config", "scenario_version", "step_length", "unknown", "__proto__", ""])
        wanted[name] = rng.choice(POISON)
        if rng.random() < 0.2:
            wanted["options"] = {
                rng.choice(["seed", "\0", "a" * 5000, "output-prefix", "net-file"]): rng.choice(POISON)
            }
    text = json.dumps(wanted, ensure_ascii=rng.random() < 0.8)
    data = text.encode("utf-8", "surrogatepass")
    match rng.randint(0, 9):
        case 0:
            data = data[: rng.randrange(len(data))]
        case 1:
            place = rng.randrange(len(data))
            data = data[:place] + rng.randbytes(3) + data[place:]
        case 2:
            data = data[:1] + b'"scenario_id": "other", ' + data[1:]
    return data


WHOLE_BODIES = [
    *(b"", b"{", b"null", b"[]", b"1", b'""', b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}", b"\0" * 1000, b"{} {}"),
    *(b"[" * 100_000, b'{"a":' * 50_000 + b"1" + b"}" * 50_000, b'{"seed": ' + b"9" * 100_000 + b"}"),
    *(
        b'{"seed": 1e999999999}',
        b'{"scenario_id": "\\ud800"}',
        b"{" + b'"a":1,' * 100_000 + b'"a":1}',
        b" " * 2_000_000,
    ),
]


def test_bodies(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    rng, report = random.Random(SEED), Report(served)
    for body in [*WHOLE_BODIES, *(poisoned(rng) for _ in range(BODIES))]:
        answer = served.request("POST", "/jobs", body, Authorization=served.key, Content_Type="application/json")
        report.take(answer, body[:300])
        assert answer.status >= 400, body  # there is no such scenario, if nothing else is wrong
    report.tell("bodies", capsys)


HEADERS: list[dict[str, Any]] = [
    *(
        {"Authorization": value}
        for value in ("", "Bearer", "Bearer ", "Basic eDp5", "Bearer x", "Bearer " + "x" * 7000)
    ),
    *({"Authorization": value} for value in (b"Bearer \xff\xfe", "Bearer sk8_" + "é" * 43, "bearer  sk8_" + "A" * 43)),
    *(
        {"Content-Type": value}
        for value in ("", "text/plain", "application/json; charset=utf-16", "a" * 5000, "multipart/form-data")
    ),
    *(
        {"Content-Type": value}
        for value in ("application/json; charset=nonsense", b"\xff", "multipart/form-data; boundary=" + "b" * 300)
    ),
    *(
        {"Accept": value}
        for value in ("text/html", "image/png", "*/*;q=nonsense", ", " * 2000, "application/json; indent=99999999")
    ),
    *({"Idempotency-Key": value} for value in ("", "x" * 5000, b"\xff\x01", "a,b", "\t")),
    *({"X-Request-ID": value} for value in ("x" * 5000, b"\xff", "<script>", "%0d%0aSet-Cookie: a=b")),
    {"Cookie": "sessionid=" + "x" * 5000},
    {"Cookie": "csrftoken=\xff; sessionid=../../x"},
    {"Host": "evil.example"},
    {"X-HTTP-Method-Override": "DELETE"},
    {"X-Forwarded-For": "x" * 5000},
    {"Range": "bytes=5-1"},
    {"If-Modified-Since": "x"},
]


def test_headers(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(served)
    body = json.dumps(VALID).encode()
    for headers in HEADERS:
        for method, path, sent in (("POST", "/jobs", body), ("GET", "/jobs", b"")):
            usual = {"Authorization": served.key, "Content-Type": "application/json"}
            report.take(served.request(method, path, sent, **(usual | headers)), headers)
    report.tell("headers", capsys)


ADDRESSES = [
    *(
        "/jobs/x",
        "/jobs/%00",
        "/jobs/%ff%fe",
        "/jobs/" + "a" * 4000,
        "/jobs/../../etc/passwd",
        "//jobs",
        "/jobs/",
        "/%2e%2e/",
    ),
    *(
        "/jobs?limit=-1",
        "/jobs?limit=99999999999999999999",
        "/jobs?limit=x",
        "/jobs?cursor=%00",
        "/jobs?cursor=" + "A" * 4000,
    ),
    *(
        "/jobs?status=%00",
        "/jobs?status=NONSENSE",
        "/jobs?" + "a=1&" * 1500,
        "/jobs?label=%ff",
        "/jobs?since=9999999-01-01",
    ),
    *(
        "/jobs?limit=%EF%BC%91",
        "/scenarios/%00",
        "/scenarios/a%0ab",
        "/scenarios/" + "a" * 65,
        "/scenarios/town?version=-1",
    ),
    *(
        "/scenarios/town?version=1e3",
        "/scenarios/town/archive?version=%00",
        "/runner/jobs/x/scenario",
        "/tenants/me/dashboard?x=%00",
    ),
    *(
        f"/jobs/00000000-0000-0000-0000-000000000000/{rest}"
        for rest in ("", "logs?tail=-1", "logs?tail=%00", "results/%00", "results/../../x")
    ),
    *(
        f"/runner/jobs/00000000-0000-0000-0000-000000000000/artifacts/{name}"
        for name in ("%00", "..%2f..%2fx", "a" * 4000)
    ),
]


def test_addresses(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(served)
    for address in ADDRESSES:
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
            report.take(served.request(method, address, Authorization=served.key), (method, address))
    report.tell("addresses", capsys)


PROTOCOL = [
    *(b"\0\0\0\0\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n"),
    *(b"GET / HTTP/1.1\r\n" + b"X-A: b\r\n" * 500 + b"\r\n", b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n"),
    b"POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    b"POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    b"POST /jobs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n",
    b"POST /jobs HTTP/1.1\r\nHost: localhost\r\nX Y: z\r\n\r\n",
]


def test_broken_http(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    """The server in front answers these itself, or hangs up."""
    report = Report(served)
    for raw in PROTOCOL:
        answer = served.send(raw)
        if answer.status:
            report.take(answer, raw[:200])
    report.tell("HTTP", capsys)
