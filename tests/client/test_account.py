"""The commands for limits, usage, statements and webhooks, against the live service."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from clusterops.usage import posting
from simulations.webhooks.models import Endpoint
from tenants.models import Tenant
from tests.clusterops.usage.test_usage_api import ran

pytestmark = pytest.mark.django_db(transaction=True)
Run = Callable[..., Result]


def test_limits_usage_and_a_statement(sumok8: Run, tenant: Tenant) -> None:
    ran(tenant, datetime.now(UTC) - timedelta(seconds=1))
    posting.post_runs()
    assert "no plan" in sumok8("limits").output
    told: Any = json.loads(sumok8("usage", "--group-by", "scenario", "--json").output)
    assert told["total"]["billable"]["runs"] == 1
    assert "zurich" in sumok8("usage", "--group-by", "scenario").output
    period = f"{datetime.now(UTC):%Y-%m}"
    assert "it may still change" in sumok8("statement", period).output
    assert sumok8("statement", period, "--as", "month.csv").exit_code == 0
    assert "cpu_hour" in Path("month.csv").read_text()
    assert json.loads(sumok8("statement", "--json").output) == []
    refused = sumok8("statement", "2099-01")
    assert (refused.exit_code, "has not begun" in refused.output) == (2, True)


def test_a_webhooks_life(sumok8: Run, settings: Any) -> None:
    made = json.loads(sumok8("webhooks", "add", "https://example.org/told", "--event", "job.failed", "--json").output)
    webhook = made["endpoint_id"]
    assert made["secret"].startswith("whsec_")
    assert "job.failed" in sumok8("webhooks", "ls").output
    assert "Sent as msg_" in sumok8("webhooks", "test", webhook).output
    assert "webhook.test" in sumok8("webhooks", "log", webhook).output
    assert made["secret"] not in sumok8("webhooks", "rotate", webhook).output
    assert "0 are told again" in sumok8("webhooks", "replay", webhook, "--since", "2026-01-01T00:00:00Z").output
    assert "is called again" in sumok8("webhooks", "enable", webhook).output
    assert sumok8("webhooks", "rm", webhook).exit_code == 0
    assert not Endpoint.objects.exists()
    assert sumok8("webhooks", "rm", webhook).exit_code == 2
