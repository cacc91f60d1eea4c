"""What a browser and a program see when something is refused or goes wrong."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.template.loader import render_to_string
from django.test import Client

PAGE = {"HTTP_ACCEPT": "text/html"}


@pytest.mark.django_db
def test_a_browser_gets_our_own_pages_without_anything_inline() -> None:
    client = Client(enforce_csrf_checks=True)
    missing = client.get("/nothing-here", **PAGE)
    refused = client.post("/admin/login/", {"username": "x"}, **PAGE)
    assert (missing.status_code, refused.status_code) == (404, 403)
    for page in (missing.content.decode(), refused.content.decode(), render_to_string("500.html")):
        assert "SUMO-K8" in page
        assert "<style" not in page
        assert "<script>" not in page


def test_a_database_that_is_away_is_a_moment_to_wait_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(connection, "ensure_connection", refused)
    client = Client(raise_request_exception=False)
    client.cookies["sessionid"] = "x" * 32
    answer = client.get("/jobs", HTTP_AUTHORIZATION=f"Bearer sk8_{'x' * 43}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "database_unreachable")
    assert answer["Retry-After"] == "5"
    page = client.get("/admin/", **PAGE)
    assert (page.status_code, page["Retry-After"]) == (503, "5")
    assert "Nothing is lost" in page.content.decode()


@pytest.mark.django_db
def test_a_program_gets_json_also_where_a_form_is_refused() -> None:
    answer = Client(enforce_csrf_checks=True).post("/docs", {})
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "forbidden"


@pytest.mark.django_db
def test_signing_in_with_a_foreign_next_leads_to_the_admin(admin_user) -> None:
    form = {"username": admin_user.username, "password": "password"}
    answer = Client().post("/admin/login/?next=//evil.example/", {**form, "next": "//evil.example/"})
    assert answer["Location"] == "/admin/"


@pytest.mark.parametrize("keys", ["", ","])
def test_an_empty_key_for_job_tokens_is_refused_at_start(keys: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", "import sumok8.settings"],
        env={**os.environ, "DATABASE_URL": "postgresql://x/y", "SECRET_KEY": "s", "JOB_TOKEN_KEYS": keys},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
    )
    assert run.returncode != 0
    assert "JOB_TOKEN_KEYS" in run.stderr
