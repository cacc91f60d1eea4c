"""Storage that fails is our trouble, not the caller's."""

from pathlib import Path
from typing import Any

import pytest

from simulations.models import Job, Scenario
from tests.simulations.api.test_runner import Runner
from tests.simulations.scenarios import upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def broken(settings: Any, tmp_path: Path) -> None:
    """A folder for files that is none."""
    (tmp_path / "media").write_text("")
    settings.MEDIA_ROOT = tmp_path / "media"


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_broken_storage(job: Job, api: Any, broken: None) -> None:
    assert refused(upload(api, "village")) == (503, "storage.unavailable")
    assert refused(api.get("/scenarios/town/archive")) == (503, "storage.unavailable")
    assert refused(Runner(job.pk).store("a", b"x")) == (503, "storage.unavailable")


def test_a_lost_file(town: Scenario, api: Any) -> None:
    town.file.delete(save=False)
    assert refused(api.get("/scenarios/town/archive")) == (404, "file.gone")
