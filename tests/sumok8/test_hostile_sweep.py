"""Every address of the product × hostile values: refused or answered, never a 500."""

import logging
import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.test import Client

from simulations import tokens
from simulations.models import Job
from tests.factories import JobFactory, issue_key
from tests.sumok8.addresses import fill, templates

pytestmark = pytest.mark.django_db

IN_PATHS = [
    "%00",
    "a%00b",
    "%FF%FE",
    "%ED%A0%80",
    "9" * 30,
    "-1",
    "a" * 3000,
    "..%2F..%2Fetc",
    "%F0%9F%98%80",
    "_00",
    "0x1",
]
IN_QUERIES = ["%00", "%FF", "%ED%A0%80", "9" * 30, "-1", "a" * 3000, "1e999", "%5B", "9999-99-99", "nan", "a,b%00"]
QUERIES = [
    "q", "p", "o", "e", "all", "_popup", "_to_field", "_changelist_filters", "status", "status__exact", "status__in",
    "reason__exact", "tenant__tenant_id__exact", "tenant_id__exact", "id__exact", "pk", "submitted_at__gte", "submitted_at__year",
    "is_active__exact", "user__id__exact", "action_time__gte", "app_label", "model_name", "field_name", "term",
    "limit", "cursor", "since", "tenant", "label", "scenario_id", "submitted_since", "version", "tail", "follow",
    "hours", "tenants", "before", "next", "x",
]  # fmt: skip
IN_FORMS = ["\0", "a" * 300, "a" * 100_000, "9" * 30, "-1", "\ufffe", "\U0001f600" * 100, "NaN", "1e999", "9999-99-99"]
HEADERS: list[dict[str, Any]] = [
    {"Content-Type": "application/json; charset=hex"},
    {"Content-Type": "text/plain; charset=undefined"},
    {"Content-Type": "multipart/form-data; boundary=x; charset=idna"},
    {"Cookie": 'sessionid="\\000\\000\\000\\000\\000\\000\\000\\000"; csrftoken="\\000"; messages="\\000"'},
    {"Cookie": "sessionid=" + "x" * 4000},
    {"Cookie": "sessionid=\xff\xfe\xff\xfe\xff\xfe; messages=[[" + "[" * 500},
    {"X-Forwarded-For": "x" * 4000},
    {"X-Forwarded-For": "," * 4000},
    {"X-Forwarded-For": "999.1.1.1, \xff"},
    {"Accept": "text/html;q=\xff, " * 100},
    {"Accept-Language": "-" * 4000},
    {"If-Modified-Since": "Thu, 99 Foo 99999999999 99:99:99 GMT"},
    {"If-None-Match": '"' * 1000},
    {"Range": "bytes=99999999999999999999-"},
    {"User-Agent": "x" * 4000},
    {"Referer": "http://[::1"},
    {"Origin": "http://[::1"},
    {"Host": "[::1"},
    {"HX-Request": "true", "HX-Current-URL": "http://[", "HX-Trigger": "\xff"},
    {"Authorization": "Bearer \xff"},
    {"X-HTTP-Method-Override": "\xff"},
]


class Caller:
    """One with all rights: what stops at a missing right would prove nothing."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.client = Client(raise_request_exception=False)
        staff = User.objects.create_superuser("root")
        self.client.force_login(staff)
        self.keys = {"admin": issue_key(None), "tenant": issue_key(job.tenant), "runner": tokens.issue(job.pk, 1, 600)}
        group = Group.objects.create(name="some")
        self.real = {
            "job_id": str(job.pk), "scenario_id": job.scenario.scenario_id, "name": "summary", "tenant_id": job.tenant_id,
            "id": str(staff.pk), "key_id": "1", "content_type_id": "1", "object_id": str(group.pk), "pk": str(job.scenario_id),
            "app_label": "auth", "url": "x",
        }  # fmt: skip

    def key(self, address: str) -> dict[str, str]:
        kind = "runner" if address.startswith("/runner") else "admin" if address.startswith("/admin") else "tenant"
        return {"Authorization": f"Bearer {self.keys[kind]}"}

    def ask(self, method: str, address: str, **more: Any) -> int:
        headers = {**self.key(address), **more.pop("headers", {})}
        sid = transaction.savepoint()
        answer = self.client.generic(method, address, headers=headers, **more)
        if answer.status_code == 500:
            transaction.savepoint_rollback(sid)
            failures.append(
                (
                    method,
                    address[:200],
                    headers if len(headers) > 1 else "",
                    more and str(more)[:300],
                    repr(getattr(answer, "exc_info", [0, 0])[1])[:150],
                )
            )
        else:
            transaction.savepoint_commit(sid)
        answer.close()
        return answer.status_code


failures: list[Any] = []


@pytest.fixture
def caller(tmp_path, settings, monkeypatch) -> Caller:
    logging.disable()
    monkeypatch.setattr(connection, "close_if_unusable_or_obsolete", lambda: None)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return Caller(JobFactory())


def test_paths(caller):
    for template in templates():
        for value in IN_PATHS if "{" in template else [""]:
            for method in ("GET", "POST", "DELETE", "PUT"):
                caller.ask(method, fill(template, {}, value))
                caller.ask(method, fill(template, {**caller.real, "name": value, "object_id": value}, value))
    assert not failures, (len(failures), failures[:20])


def test_queries(caller):
    for template in templates():
        address = fill(template, caller.real, "x")
        for name in QUERIES:
            for value in IN_QUERIES:
                caller.ask("GET", f"{address}?{name}={value}")
    assert not failures, (len(failures), failures[:20])


def test_headers(caller):
    for template in templates():
        address = fill(template, caller.real, "x")
        for headers in HEADERS:
            caller.ask("GET", f"{address}?a=%C3%A4", headers=headers)
            caller.ask(
                "POST",
                f"{address}?a=%C3%A4",
                data=b"a=b",
                headers={"Content-Type": "application/x-www-form-urlencoded", **headers},
            )
    assert not failures, (len(failures), failures[:20])


def test_forms(caller):
    seen = 0
    for template in templates():
        for more in (
            {},
            {"object_id": caller.job.tenant_id},
            {"object_id": str(caller.job.pk)},
            {"object_id": caller.real["pk"]},
            {"object_id": caller.real["id"]},
        ):
            address = fill(template, {**caller.real, **more}, "x")
            if more and address == fill(template, caller.real, "x"):
                continue
            page = caller.client.get(address) if "follow" not in address else None
            names = set()
            if page.status_code == 200 and not page.streaming:
                names = set(re.findall(r'name="([^"]+)"', page.content.decode(errors="replace")))
            page.close()
            names |= {
                "username",
                "password",
                "action",
                "_selected_action",
                "index",
                "next",
                "label",
                "days",
                "hours",
                "post",
            }
            for value in IN_FORMS:
                seen += 1
                caller.ask(
                    "POST",
                    address,
                    data=urlencode(dict.fromkeys(names - {"csrfmiddlewaretoken"}, value)).encode(),
                    headers={"Content-Type": "application/x-www-form-urlencoded"},
                )
                if "/login" in address:
                    Client(raise_request_exception=False).post(address, dict.fromkeys(names, value))
    print(seen)
    assert not failures, (len(failures), failures[:20])
