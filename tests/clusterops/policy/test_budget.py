"""What a month's budget bears, without a database; how it is used up and told is in `usage/test_budgets.py`."""

import uuid
from decimal import Decimal

import pytest

from clusterops.policy.budget import Allowance, is_held_by
from simulations.models import Job

LIMIT = {"period": "2026-11", "limit": "5.00 EUR"}


def allowance(used: str, *costs: str) -> tuple[Allowance, list[Job]]:
    jobs = [Job(job_id=uuid.uuid4()) for _ in costs]
    known = {job.pk: Decimal(cost) for job, cost in zip(jobs, costs, strict=True)}
    return Allowance("2026-11", "EUR", Decimal(5), Decimal(used), known), jobs


@pytest.mark.parametrize("used, cost, bears", [("0", "5", True), ("3.5", "1.5", True), ("3.5", "1.51", False)])
def test_up_to_the_limit(used: str, cost: str, bears: bool) -> None:
    month, [job] = allowance(used, cost)
    assert month.bears(job) is bears


def test_what_runs_is_reserved_and_the_sentence_says_so() -> None:
    month, [runs, waits] = allowance("2.5", "1.5", "1.25")
    assert month.bears(waits)
    assert "2.50 of 5.00 EUR are used, and up to its time limit this job may need 1.25." in month.why_not(waits)
    month.take(runs)
    assert not month.bears(waits)
    why = month.why_not(waits)
    assert why.startswith("The budget of 2026-11 does not bear it: 2.50 of 5.00 EUR are used, 1.50 reserved for jobs ")
    assert is_held_by(f"Attempt 2 of 3: {why}", **LIMIT)
    assert not is_held_by(why, **LIMIT | {"limit": "50.00 EUR"})
    assert not is_held_by(why, **LIMIT | {"period": "2026-12"})


def test_a_job_without_a_price_costs_nothing() -> None:
    month, _ = allowance("5")
    assert month.bears(Job(job_id=uuid.uuid4()))
