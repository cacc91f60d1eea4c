"""/statements, the commands and the admin's pages tell the same month."""

import csv
import io
import json
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from clusterops.usage import posting, statements
from clusterops.usage.ledger import LedgerEntry, Statement
from clusterops.usage.models import PodRun
from tenants.models import Tenant
from tests.clusterops.usage.test_ledger import priced  # noqa: F401 - a fixture
from tests.clusterops.usage.test_usage_api import ran

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


def test_an_erased_tenants_months_are_not_those_of_the_next_of_its_name(api: Any, priced: Tenant):  # noqa: F811
    gone = Tenant.objects.create(tenant_id="gone", namespace="gone")
    ran(gone, tenant_name=priced.pk)
    posting.post_runs()
    PodRun.objects.update(tenant=None)
    gone.delete()
    assert api.get("/statements/2026-03").json()["lines"] == []
    run("close_period", "2026-03")
    assert api.get("/statements").json()["statements"] == []
    assert api.get("/statements/2026-03").json()["lines"] == []


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


def test_what_a_statement_says_adds_up(march: Tenant):
    told = statements.content("city-a", "2026-03")
    assert sum(Decimal(line["amount"] or 0) for line in told["lines"]) == Decimal(told["total"])
