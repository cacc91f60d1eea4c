"""The table of endings, and all that has to agree with it."""

import re
from pathlib import Path

import pytest
from django.core.management import call_command

from clusterops.objects.manifests import RUNNER_EXIT_CODES
from clusterops.policy.sentences import WITH_FIGURES
from simulations.models import Job
from simulations.sumo.protocol.endings import ENDINGS, EXIT_CODES, Ending, Outcome, Reason
from tests.factories import JobFactory

PAGE = Path(__file__).parents[3] / "docs" / "reasons.md"


def facts(row: Ending) -> str:
    """The line below its heading in docs/reasons.md."""
    parts = [row.status or "no end", f"to mend by: {row.fault}"]
    if row.outcome:
        parts.append(f"outcome `{row.outcome}`")
    if row.exit_codes:
        parts.append("exit code " + ", ".join(map(str, row.exit_codes)))
    if row.retried:
        parts.append("a new attempt follows, up to `MAX_ATTEMPTS`")
    if row.status and not row.billable:
        parts.append("does not count as used")
    return f"*{' · '.join(parts)}*"


def test_every_reason_and_every_outcome_has_one_row() -> None:
    assert list(ENDINGS) == list(Reason)
    assert EXIT_CODES.keys() == set(Outcome)
    codes = [code for row in ENDINGS.values() for code in row.exit_codes]
    assert len(codes) == len(set(codes))
    assert list(range(64, 76)) == RUNNER_EXIT_CODES


def test_a_row_agrees_with_itself() -> None:
    for row in ENDINGS.values():
        assert row.status in ("", *Job.TERMINAL)
        assert bool(row.sentence) != (row.reason in WITH_FIGURES), row.reason
        assert row.status or not (row.retried or row.billable or row.outcome or row.exit_codes), row.reason
        assert not (row.retried and row.billable), row.reason
        assert not row.outcome or row.outcome.exit_code == row.exit_codes[0]
        assert len(row.reason) <= Job._meta.get_field("reason").max_length


def test_the_page_of_reasons_says_what_the_table_says() -> None:
    found = dict(re.findall(r"^### (\w+)\n\n(.+)$", PAGE.read_text(), re.MULTILINE))
    assert found == {row.reason.value: facts(row) for row in ENDINGS.values()}


@pytest.mark.django_db
def test_a_reason_that_the_table_has_not_is_refused() -> None:
    with pytest.raises(ValueError, match="NO_SUCH"):
        JobFactory().move_to("RUNNING", reason="NO_SUCH", message="")


@pytest.mark.django_db
def test_a_new_reason_needs_no_migration() -> None:
    assert Job._meta.get_field("reason").choices is None
    call_command("makemigrations", "simulations", "--check", "--dry-run")
