"""/statements, the commands and the admin's pages tell the same month."""

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, Sum
from django.urls import reverse

from clusterops.usage import posting, statements
from clusterops.usage.ledger import BillingPeriod, LedgerEntry, LedgerLine, LedgerTotal, Statement
from tenants.models import Tenant
from tests.clusterops.usage.test_ledger import priced  # noqa: F401 - a fixture
from tests.clusterops.usage.test_usage_api import ran
from tests.conftest import client_with
from tests.factories import TenantFactory, issue_key

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def march(priced: Tenant) -> Tenant:  # noqa: F811
    ran(priced)
    posting.post_runs()
    return priced


def test_a_month_as_json_csv_and_page(api: Any, march: Tenant):
    told = api.get("/statements/2026-03").json()
    assert (told["total"], told["closed"], told["sha256"]) == ("0.72", False, None)
    lines = {line["item"]: (line["counted"], line["quantity"], line["price"], line["amount"]) for line in told["lines"]}
    assert lines["cpu_hour"] == ("7200", "2.0000", "0.360000", "0.720000")
    assert lines["gib_hour"] == ("14400", "4.0000", None, None)
    rows = list(csv.DictReader(io.StringIO(b"".join(api.get("/statements/2026-03.csv").streaming_content).decode())))
    assert (rows[-1]["item"], rows[-1]["amount"]) == ("total", "0.72")
    page = api.get("/statements/2026-03.html")
    assert "Not closed yet" in page.content.decode()
    assert "style-src 'unsafe-inline'; sandbox" in page["Content-Security-Policy"]


def test_another_tenants_month_is_empty_and_a_later_one_is_not_there(other_api: Any, march: Tenant):
    assert other_api.get("/statements/2026-03").json()["lines"] == []
    assert other_api.get("/statements/2099-12").status_code == 404
    assert other_api.get("/statements/2026-13").status_code == 404


def test_an_erased_tenants_months_are_not_those_of_the_next_of_its_name() -> None:
    for seconds in (3600, 900):  # two that are no more, within a month
        gone = TenantFactory(tenant_id="city-x")
        ran(gone, seconds=seconds)
        posting.post_runs()
        ran(gone, seconds=1)
        gone.delete()
        posting.post_runs()  # what ended before is its own, whenever it is noted
    tenant = TenantFactory(tenant_id="city-x")
    api = client_with(issue_key(tenant))
    assert api.get("/statements/2026-03").json()["lines"] == []
    ran(tenant, seconds=60)
    posting.post_runs()
    assert LedgerTotal.objects.get(generation=0).cpu_seconds == 120
    run("close_period", "2026-03")
    [row] = api.get("/statements").json()["statements"]
    told = api.get("/statements/2026-03").json()
    assert (told["sha256"], told["lines"][0]["counted"]) == (row["sha256"], "120")
    kept = Statement.objects.filter(tenant=None).order_by("generation")
    assert [json.loads(each.body)["lines"][0]["counted"] for each in kept] == ["7202", "1802"]


def test_statements_are_written_in_parts_and_none_twice(march: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    other = TenantFactory(tenant_id="city-b")
    ran(other)
    monkeypatch.setattr(statements, "BATCH", 1)
    monkeypatch.setattr(statements, "STATEMENTS", 1)
    now = datetime(2026, 4, 20, tzinfo=UTC)
    written = []
    for _ in range(4):  # as many looks, each after a crash of the one before
        statements.close_due(now)
        written.append(Statement.objects.count())
    assert written == [1, 2, 2, 2]
    assert BillingPeriod.objects.get().is_stated


def test_closed_by_command_and_seen_by_staff(api: Any, support: Any, march: Tenant):
    assert "1 statement(s) written" in run("close_period", "2026-03")
    assert "0 statement(s) written" in run("close_period", "2026-03")
    [row] = api.get("/statements").json()["statements"]
    assert (row["period"], row["total"]) == ("2026-03", "0.72")
    kept = Statement.objects.get()
    page = support.get(reverse("admin:usage_statement_page", args=[kept.pk])).content.decode()
    assert kept.sha256 in page
    assert support.get(reverse("admin:usage_ledgerentry_changelist")).status_code == 200
    assert support.get(reverse("admin:usage_statement_changelist")).status_code == 200
    with pytest.raises(CommandError, match="closes on"):
        run("close_period", "2099-01")


def test_corrections_by_command(march: Tenant):
    wrong = LedgerEntry.objects.get(item="cpu_hour")
    said = run("adjust_ledger", "--entry", str(wrong.pk), "--reason", "a test run")
    assert "reversal" in said
    assert "-0.720000 EUR, in 2026-03" in said
    run("adjust_ledger", "--tenant", "city-a", "--amount=-5", "--key", "t-1", "--reason", "sorry")
    assert LedgerEntry.objects.get(item="credit").amount == Decimal(-5)
    with pytest.raises(CommandError, match="at most 60"):
        run("adjust_ledger", "--tenant", "city-a", "--amount=-5", "--key", "k" * 61, "--reason", "sorry")
    for amount in ("NaN", "much"):
        with pytest.raises(CommandError, match="no amount"):
            run("adjust_ledger", "--tenant", "city-a", f"--amount={amount}", "--key", "k", "--reason", "r")


def test_the_ledger_for_other_programs(march: Tenant):
    rows = list(csv.DictReader(io.StringIO(run("export_usage", "--month", "2026-03", "--tenant", "city-a"))))
    assert {row["item"]: row["quantity"] for row in rows} == {"cpu_hour": "7200", "gib_hour": "14400", "run": "1"}
    first = json.loads(run("export_usage", "--month", "2026-03", "--format", "jsonl").splitlines()[0])
    assert (first["item"], first["amount"]) == ("cpu_hour", "0.720000")


def test_what_a_statement_says_is_the_ledgers_sum(march: Tenant):
    ran(march, seconds=1)
    posting.post_runs()
    run("adjust_ledger", "--tenant", "city-a", "--amount=-0.0102", "--key", "t-1", "--reason", "sorry")
    entries = LedgerEntry.objects.all()
    LedgerLine.objects.update(period="2026-03")  # the credit is of today
    told = statements.content("city-a", "2026-03")
    for line in told["lines"]:
        own = entries.filter(item=line["item"]).aggregate(Sum("quantity"), Sum("amount"), Count("pk"))
        assert (int(line["counted"]), line["entries"]) == (own["quantity__sum"], own["pk__count"])
        assert line["amount"] == (None if own["amount__sum"] is None else str(own["amount__sum"]))
    assert sum(Decimal(line["amount"] or 0) for line in told["lines"]).quantize(Decimal("0.01")) == Decimal("0.71")
    assert told["total"] == "0.71"
