"""Every address of the product, asked with hostile values: refused or answered, never a 500.

Each address gets one of the values, turn about, so that each value comes to many addresses and the sweep stays short.
"""

import re
from collections.abc import Iterator
from itertools import cycle
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.test import Client

from simulations import tokens
from tenants.members import Member, Role
from tests.factories import JobFactory, issue_key
from tests.sumok8.addresses import fill, templates

pytestmark = pytest.mark.django_db

IN_PATHS = [
    *("%00", "a%00b", "%FF%FE", "%ED%A0%80", "9" * 30, "-1", "a" * 3000, "..%2F..%2Fetc", "%F0%9F%98%80", "_00", "0x1"),
]
IN_QUERIES = ["%00", "%FF", "%ED%A0%80", "9" * 30, "-1", "a" * 300, "1e999", "%5B", "9999-99-99", "nan", "a,b%00"]
QUERY_NAMES = [
    *("q", "p", "o", "e", "all", "_popup", "_to_field", "_changelist_filters", "status", "status__exact", "pk"),
    *("tenant__tenant_id__exact", "id__exact", "submitted_at__gte", "submitted_at__year", "is_active__exact"),
    *("user__id__exact", "action_time__gte", "app_label", "model_name", "field_name", "term", "limit", "cursor"),
    *("since", "tenant", "label", "scenario_id", "submitted_since", "version", "tail", "hours", "before", "next"),
    *("cell", "confidence", "status__in", "readable", "x"),
]
IN_FORMS = ["\0", "a" * 300, "a" * 20_000, "9" * 30, "-1", "\ufffe", "\U0001f600" * 100, "NaN", "1e999", "9999-99-99"]
HEADERS: list[dict[str, str]] = [
    {"Cookie": 'sessionid="\\000\\000"; csrftoken="\\000"; messages="\\000"'},
    {"Cookie": "sessionid=\xff\xfe\xff\xfe; messages=[[" + "[" * 500},
    {"X-Forwarded-For": "," * 4000},
    {"X-Forwarded-For": "999.1.1.1, \xff"},
    {"Accept": "text/html;q=\xff, " * 100},
    {"Accept-Language": "-" * 4000},
    {"If-Modified-Since": "Thu, 99 Foo 99999999999 99:99:99 GMT", "If-None-Match": '"' * 1000},
    {"Range": "bytes=99999999999999999999-"},
    {"Referer": "http://[::1", "Origin": "http://[::1"},
    {"Host": "[::1"},
    {"HX-Request": "true", "HX-Current-URL": "http://[", "HX-Trigger": "\xff"},
]
FIELDS = {"username", "password", "action", "_selected_action", "index", "next", "label", "days", "post"}
FORM = "application/x-www-form-urlencoded"


class Sweep:
    """A caller with all rights: what stops at a missing one would prove nothing."""

    def __init__(self) -> None:
        inspection = {"config": "run.sumocfg", "configs": {"run.sumocfg": {"begin": 0, "end": 100, "problems": []}}}
        job = JobFactory(scenario__inspection=inspection)
        staff = User.objects.create_superuser("root")
        Member.objects.create(tenant=job.tenant, user=staff, role=Role.OWNER)
        other = Member.objects.create(tenant=job.tenant, user=User.objects.create_user("other"))
        self.client = Client(raise_request_exception=False)
        self.client.force_login(staff)
        self._keys = {"/runner": tokens.issue(job.pk, 1, 600), "/admin": issue_key(None), "": issue_key(job.tenant)}
        self.real = {
            **{"job_id": str(job.pk), "scenario_id": job.scenario.scenario_id, "tenant_id": job.tenant_id},
            **{"id": str(staff.pk), "object_id": str(Group.objects.create(name="some").pk), "app_label": "auth"},
            **{"name": "summary", "key_id": "1", "content_type_id": "1", "url": "x"},
            "member_id": str(other.pk),
        }
        self.failures: list[str] = []

    def ask(self, method: str, address: str, **more: Any) -> Any:
        key = next(key for start, key in self._keys.items() if address.startswith(start))
        headers = {"Authorization": f"Bearer {key}", **more.pop("headers", {})}
        before = transaction.savepoint()
        answer = self.client.generic(method, address, headers=headers, **more)
        if answer.status_code == 500:
            transaction.savepoint_rollback(before)
            self.failures.append(f"{method} {address[:200]} {headers} {str(more)[:200]}: {answer.exc_info[1]!r:.200}")
        else:
            transaction.savepoint_commit(before)
        answer.close()
        return answer


@pytest.fixture
def sweep(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Sweep]:
    monkeypatch.setattr(connection, "close_if_unusable_or_obsolete", lambda: None)
    swept = Sweep()
    yield swept
    assert not swept.failures, "\n".join([f"{len(swept.failures)} failures:", *swept.failures[:20]])


def test_paths(sweep: Sweep) -> None:
    values = cycle(IN_PATHS)
    for template in (template for template in templates() if "{" in template):
        value = next(values)
        sweep.ask("GET", fill(template, {}, value))
        sweep.ask("POST", fill(template, {**sweep.real, "name": value, "object_id": value}, value))


def test_queries(sweep: Sweep) -> None:
    values = cycle(IN_QUERIES)
    for template in templates():
        value = next(values)
        sweep.ask("GET", f"{fill(template, sweep.real, 'x')}?" + "&".join(f"{name}={value}" for name in QUERY_NAMES))


def test_headers(sweep: Sweep) -> None:
    values = cycle(HEADERS)
    for template in templates():
        address = f"{fill(template, sweep.real, 'x')}?a=%C3%A4"
        headers = next(values)
        sweep.ask("GET", address, headers=headers)
        sweep.ask("POST", address, data=b"a=b", headers={"Content-Type": FORM, **headers})


def test_forms(sweep: Sweep) -> None:
    values = cycle(IN_FORMS)
    for template in templates():
        address = fill(template, sweep.real, "x")
        page = sweep.client.get(address)
        text = "" if page.streaming else page.content.decode(errors="replace")
        names = FIELDS | set(re.findall(r'name="([^"]+)"', text)) - {"csrfmiddlewaretoken"}
        page.close()
        sweep.ask("POST", address, data=urlencode(dict.fromkeys(names, next(values))), content_type=FORM)


@pytest.mark.parametrize("name", ["a" * 256, "\0", "\ufffe" * 200])
def test_names_at_the_sign_in(name: str) -> None:
    answer = Client(raise_request_exception=False).post("/admin/login/", {"username": name, "password": "x"})
    assert answer.status_code in {200, 400}
