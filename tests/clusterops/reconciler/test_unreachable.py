"""A pod that cannot reach the web: the job says so while it tries, and is tried again elsewhere."""

from pathlib import Path

import pytest

from clusterops.readings.runner_log import unreachable
from clusterops.reconciler import logs
from simulations.models import JobEvent

WORDS = "Cannot reach the control plane: name not resolved: sumok8-web.sumok8.svc (Name or service not known)"
FETCHING = {"v": 1, "t": 1.0, "event": "phase", "phase": "fetching", "message": "Fetching the scenario."}
TRIED = {"v": 1, "t": 2.0, "event": "phase", "phase": "unreachable", "message": WORDS}
OVER = {"v": 1, "t": 3.0, "event": "phase", "phase": "reachable", "message": "The control plane answers again."}
REPORT = {"errors": [{"code": "fetch.unreachable", "message": "The control plane could not be reached: no name"}]}


@pytest.fixture(autouse=True)
def read_logs_at_once(monkeypatch: pytest.MonkeyPatch, loop) -> None:
    monkeypatch.setattr(logs, "UNHEARD_EVERY", logs.UNHEARD_EVERY * 0)
    monkeypatch.setattr(type(loop.memory), "due", lambda self, task, every_s: True)


def test_the_job_says_it_until_it_is_over(loop, submit, tmp_path: Path) -> None:
    hold, end = tmp_path / "hold", tmp_path / "end"
    job = submit(says=[FETCHING, TRIED], then=[OVER], hold=str(hold), end=str(end))
    loop.until_reason(job, "SERVICE_UNREACHABLE")
    assert job.status == "RUNNING"
    assert job.message == f"{WORDS}. It keeps trying for some minutes."
    events = JobEvent.objects.filter(job=job).count()
    for _ in range(3):
        loop.once()
    assert JobEvent.objects.filter(job=job).count() == events
    hold.touch()
    loop.until_reason(job, "RUNNING")
    assert job.message == "The simulation is running."
    end.touch()
    loop.until_ended(job)
    assert job.status == "SUCCEEDED"


def test_it_is_tried_again_and_ends_with_its_own_reason(loop, submit, settings) -> None:
    settings.MAX_ATTEMPTS = 2
    job = submit(outcome="unreachable", exit=73, report=REPORT | {"uploaded": False})
    loop.until_ended(job)
    assert (job.status, job.reason, job.attempt, job.exit_code) == ("FAILED", "SERVICE_UNREACHABLE", 2, 73)
    assert job.message.startswith("The control plane could not be reached: no name. It was tried 2 times.")
    again = JobEvent.objects.filter(job=job, reason="SERVICE_UNREACHABLE").earliest("id")
    assert "starts again by itself" in again.message


@pytest.mark.parametrize(
    "log, words",
    [
        ("", ""),
        ("plain text\n", ""),
        ('{"event": "phase", "phase": "unreachable", "message": "no"}\n', "no"),
        ('{"event": "phase", "phase": "unreachable", "message": "no"}\n{"event": "log", "message": "x"}\n', "no"),
        ('{"event": "phase", "phase": "unreachable", "message": "no"}\n{"event": "progress", "sim_time": 1}\n', ""),
        ('{"event": "phase", "phase": "unreachable", "message": "a\\u0000b"}\n' + "[" * 9000, "a�b"),
        ('{"event": ["phase"], "phase": "unreachable", "message": "no"}', ""),
        ('{"event": "phase", "phase": "unreachable"}\n[1]\n3\nnull\n{"cut', ""),
    ],
)
def test_only_the_last_word_counts(log: str, words: str) -> None:
    assert unreachable(log) == words
