"""A week is told once, on its Monday, to the tenants that ran something."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clusterops.usage import posting
from clusterops.usage.weekly import tell_weeks
from simulations.models import Notice
from simulations.webhooks.mail import sentence
from tenants.models import Tenant
from tests.clusterops.usage.test_ledger import priced  # noqa: F401 - a fixture
from tests.clusterops.usage.test_usage_api import ran

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 3, 16, 8, tzinfo=UTC)


def test_a_week_is_told_once(priced: Tenant, other_tenant: Tenant, settings: Any):  # noqa: F811
    ran(priced)  # on Tuesday the 10th
    ran(priced, ending="OUT_OF_MEMORY", seconds=1800)
    ran(priced, MONDAY)  # the next week's
    posting.post_all()
    assert tell_weeks(MONDAY - timedelta(hours=5)) == 0  # not all of it may have been noted
    assert [tell_weeks(MONDAY), tell_weeks(MONDAY + timedelta(hours=20))] == [1, 1]
    notice = Notice.objects.get()
    assert (notice.tenant, notice.kind, notice.awaits_mail) == (priced, "usage.weekly", True)
    assert sentence(notice) == (
        "From 2026-03-09 to 2026-03-15 2 runs ended, 1 of them failed (OUT_OF_MEMORY 1); they took 3.0 CPU-hours and "
        "6.0 GiB-hours. 2026-03 so far: 2.52 EUR."
    )
    assert tell_weeks(MONDAY + timedelta(days=3)) == 0
