"""Probes, metrics, the front door and the API's description."""

import json

import pytest
from django.db import OperationalError, connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tests.factories import JobFactory

METHODS = {"get", "post", "put", "patch", "delete"}


def test_healthz_asks_nobody(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_readyz_follows_the_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/readyz").status_code == 200

    def gone() -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(connection, "cursor", gone)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "database_unreachable"


@pytest.mark.django_db
def test_metrics_count_by_route_not_by_address(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    job = JobFactory()
    client.get(f"/jobs/{job.pk}")
    client.get("/nowhere/at/all")
    with django_assert_num_queries(0):  # what the database knows is the reconciler's to tell, once
        text = client.get("/metrics").content.decode()
    assert 'route="unmatched",status="404"' in text
    assert str(job.pk) not in text
    assert "sumok8_http_request_duration_seconds_bucket" in text
    timed = [line for line in text.splitlines() if "duration_seconds_count" in line and "jobs/<uuid" in line]
    client.get(f"/jobs/{job.pk}?wait=1")
    again = client.get("/metrics").content.decode().splitlines()
    assert [line for line in again if line in timed] == timed


@pytest.mark.parametrize("address", ["/", "/docs"])
@pytest.mark.django_db
def test_public_pages_need_no_sign_in_and_nothing_inline(client: Client, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "style=" not in page
    assert "http://" not in page.replace("http://www.w3.org", "").replace("http://testserver", "")
    assert "unsafe" not in answer["Content-Security-Policy"]


@pytest.mark.django_db
def test_no_proxy_keeps_an_answer(client: Client) -> None:
    assert client.get("/jobs")["Cache-Control"] == "no-store"
    assert client.get("/")["Cache-Control"] == "no-store"


@pytest.fixture
def schema(client: Client, db: None) -> dict:
    answer = client.get("/schema")
    assert answer.status_code == 200
    return json.loads(answer.content)


def operations(schema: dict) -> dict[str, dict]:
    return {
        f"{method} {path}": operation
        for path, item in schema["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def test_schema_is_public_and_has_every_room(schema: dict) -> None:
    assert schema["openapi"] == "3.1.0"
    assert not any(path.startswith("/runner/") for path in schema["paths"])
    for wanted in ("post /jobs", "get /jobs/{job_id}/logs", "get /tenants/me/dashboard", "get /admin/activity"):
        assert wanted in operations(schema)


def test_the_schema_is_made_once_whatever_is_asked(client: Client, db: None) -> None:
    first = client.get("/schema").content
    asked = client.get("/schema?version=a%0Ab&lang=de")
    assert (asked.status_code, asked["Content-Type"]) == (200, "application/vnd.oai.openapi+json")
    assert asked.content == first
    assert client.get("/schema", headers={"Accept": "text/html"}).json()["error"]["code"] == "not_acceptable"
    assert client.post("/schema").json()["error"]["code"] == "method_not_allowed"


def test_every_error_is_documented_in_the_one_shape(schema: dict) -> None:
    for name, operation in operations(schema).items():
        refused = {"401", "429"} if name == "post /token" else {"401", "403", "429"}  # it needs no key
        assert refused <= operation["responses"].keys(), name
        assert operation.get("summary"), name
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert answer["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Error"}, name
    submit = operations(schema)["post /jobs"]["responses"]
    assert {"201", "400", "413", "415", "422", "429"} <= submit.keys()
