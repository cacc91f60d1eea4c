"""docs/reasons.md has every reason, and nothing else."""

import re
from pathlib import Path

from clusterops.policy.sentences import SENTENCES
from simulations.models import Job

PAGE = Path(__file__).parents[3] / "docs" / "reasons.md"


def test_every_reason_is_explained() -> None:
    assert sorted(re.findall(r"^### (\w+)$", PAGE.read_text(), re.MULTILINE)) == sorted(Job.Reason.values)


def test_every_reason_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Job.Reason)
