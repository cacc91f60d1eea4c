"""What a browser and a program see when something is refused or goes wrong."""

import os
import subprocess
import sys
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.template.loader import render_to_string
from django.test import Client

from tenants.members import Member
from tenants.models import Tenant

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


OLD_FORM = {"csrfmiddlewaretoken": "a" * 64, "username": "x"}
FORM, JSON = "application/x-www-form-urlencoded", "application/json"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "headers, content_type, answer_type",
    [
        ({"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}, FORM, "text/html"),
        ({"Accept": "*/*"}, FORM, "text/html"),
        ({}, FORM, "text/html"),
        ({"Accept": "application/json"}, FORM, JSON),
        ({"Authorization": "Bearer sk8_x"}, FORM, JSON),
        ({"Accept": "*/*"}, JSON, JSON),
    ],
)
@pytest.mark.parametrize("cookie", ["", "b" * 32])
def test_an_old_form_is_told_on_a_page_and_to_a_program_in_json(headers, content_type, answer_type, cookie) -> None:
    client = Client(enforce_csrf_checks=True)
    if cookie:
        client.cookies["csrftoken"] = cookie
    answer = client.post("/admin/login/", urlencode(OLD_FORM), content_type=content_type, headers=headers)
    assert answer.status_code == 403
    assert answer["Content-Type"].partition(";")[0] == answer_type
    if answer_type == JSON:
        assert answer.json()["error"]["code"] == "forbidden"
    else:
        assert "The form was not taken" in answer.content.decode()


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


@pytest.fixture
def viewer(tenant: Tenant) -> Client:
    client = Client(headers={"Accept": "text/html"})
    user = User.objects.create_user("vera")
    Member.objects.create(tenant=tenant, user=user, role="viewer")
    client.force_login(user)
    return client


def test_a_member_keeps_the_menu_where_something_is_refused_or_missing(viewer: Client, tenant: Tenant) -> None:
    refused, missing = viewer.get("/t/city-a/keys"), viewer.get("/t/city-a/nothing")
    odd, foreign = viewer.get("/t/city-a/jobs?status=%00"), viewer.get("/t/nowhere/jobs")
    assert [each.status_code for each in (refused, missing, odd, foreign)] == [403, 404, 400, 404]
    assert "You are viewer at city-a, which is not enough for this page; an owner can change that." in refused.text
    for page in (refused, missing, odd):
        assert '<a href="/t/city-a/studies">Studies</a>' in page.text
        assert "Home of city-a" in page.text
    assert "Studies</a>" not in foreign.text
    assert '<a class="tenant" href="/t/city-a">' in foreign.text
    Tenant.objects.update(is_active=False)
    assert "city-a is not active at present" in viewer.get("/t/city-a").text


def test_a_slash_too_many_or_too_few_is_no_error(viewer: Client) -> None:
    for typed, right in (
        ("/t/city-a/", "/t/city-a"),
        ("/t/city-a/jobs/?status=FAILED", "/t/city-a/jobs?status=FAILED"),
        ("/cluster/jobs", "/cluster/jobs/"),
        ("/cluster/tenants?q=a", "/cluster/tenants/?q=a"),
    ):
        answer = viewer.get(typed)
        assert (answer.status_code, answer["Location"]) == (302, right)
    for method, address in (("post", "/t/city-a/jobs/"), ("get", "/t/city-a/none/"), ("get", "/t//evil.example/")):
        assert getattr(viewer, method)(address).status_code == 404
    assert Client().get("/t/city-a/jobs/").status_code == 404  # a program's address is exact
