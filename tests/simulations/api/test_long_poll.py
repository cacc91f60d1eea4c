"""GET /jobs/{id}?wait=: the answer comes as the status changes; waiting is bounded and holds no connection."""

import threading
import time
from typing import Any

import pytest
from django.db import connection

from simulations.api import job_waiters
from simulations.held import NoPlace, Places, places
from simulations.models import Job
from tests.factories import JobFactory


@pytest.fixture
def job(tenant: Any) -> Job:
    return JobFactory(tenant=tenant)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("hears", [True, False])
def test_the_answer_comes_with_the_change(api: Any, job: Job, monkeypatch: pytest.MonkeyPatch, hears: bool) -> None:
    monkeypatch.setattr(job_waiters, "ASK_EVERY_S", 60)
    monkeypatch.setattr(job_waiters, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(job_waiters, "BLIND_EVERY_S", 0.05)
    if not hears:
        monkeypatch.setattr(job_waiters, "direct_connection", lambda: (_ for _ in ()).throw(OSError("no way")))
    own = job_waiters.Waiters()
    monkeypatch.setattr("simulations.api.jobs.waiters", own)

    def end() -> None:
        while not own._waiters:
            time.sleep(0.01)
        time.sleep(0.1)
        Job.objects.get(pk=job.pk).move_to("RUNNING", reason="RUNNING", message="")
        connection.close()

    thread = threading.Thread(target=end)
    thread.start()
    began = time.monotonic()
    answer = api.get(f"/jobs/{job.pk}?wait=30")
    thread.join()
    assert (answer.json()["status"], time.monotonic() - began < 5) == ("RUNNING", True)
    while own._is_listened:  # its thread ends, and gives its connection back
        time.sleep(0.01)
    assert places.taken == 0


def test_behind_a_pooler_the_way_to_the_server_is_tried_less_and_less_often() -> None:
    own = job_waiters.Waiters()
    pauses = []
    for _ in range(12):
        own._step_back()
        pauses.append(round(own._deaf_until - time.monotonic()))
    assert pauses[:4] == [1, 2, 4, 8]
    assert pauses[-1] == 300


@pytest.mark.django_db
def test_after_the_time_the_answer_is_as_it_is(api: Any, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    own = job_waiters.Waiters()
    own._is_listened = True  # nobody rings
    monkeypatch.setattr("simulations.api.jobs.waiters", own)
    assert api.get(f"/jobs/{job.pk}?wait=1").json()["status"] == "PENDING"
    own.ending = lambda: True
    began = time.monotonic()
    assert api.get(f"/jobs/{job.pk}?wait=60").status_code == 200
    assert time.monotonic() - began < 5


@pytest.mark.django_db
def test_refused_beyond_the_bound_and_what_is_no_number(api: Any, other_api: Any, job: Job, settings: Any) -> None:
    settings.LOG_FOLLOWERS = 0
    answer = api.get(f"/jobs/{job.pk}?wait=5")
    assert (answer.status_code, answer.json()["error"]["code"], answer["Retry-After"]) == (
        503,
        "jobs.too_many_waiting",
        "5",
    )
    Job.objects.filter(pk=job.pk).update(status="SUCCEEDED", finished_at="2026-01-01T00:00:00Z")
    assert api.get(f"/jobs/{job.pk}?wait=60").status_code == 200
    for wrong in ("61", "-1", "long"):
        assert api.get(f"/jobs/{job.pk}?wait={wrong}").status_code == 400
    assert other_api.get(f"/jobs/{job.pk}?wait=5").status_code == 404


def test_one_tenant_leaves_places_to_the_others() -> None:
    own = Places(lambda: 4)
    own.take("a")
    own.take("a")
    with pytest.raises(NoPlace):
        own.take("a")
    own.take("b")
    own.take("c")
    with pytest.raises(NoPlace):
        own.take("d")
    own.leave("a")
    own.take("a")
    assert own.taken == 4
