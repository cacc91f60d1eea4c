"""Whatever a pod says of its end, at either door, the job ends, and so do the others'."""

import json
import time
from io import StringIO
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clusterops.models import ReconcilerState
from clusterops.reconciler import job_states
from clusterops.reconciler.one_pass import reconcile_once
from clusterops.reconciler.pass_state import Memory
from clusterops.reconciler.troubles import LONGEST_REST_S
from simulations.models import Artifact, Job
from tests.clusterops.reconciler.canned import CannedApi, gateway_of
from tests.factories import JobFactory

pytestmark = pytest.mark.django_db

GOOD = '{"outcome":"succeeded","complete":true,"uploaded":true,"kpis":{"teleports":1}}'
DEEP = '{"outcome":"succeeded","kpis":' + "[" * 4000
HOSTILE = [
    '{"outcome":"succeeded","uploaded":true,"kpis":{"co2_kg":NaN,"a":Infinity,"b":1e999,"teleports":2}}',
    '{"outcome":"succeeded","uploaded":true,"kpis":{"x":1e999},"reason":"\\u0000\\ud800"}',
    '{"outcome":"sumo_failed","errors":[{"code":"\\udfff","message":"a\\u0000b"}]}',
    '{"outcome":"succeeded","uploaded":true,"sim_end":{"a":[1]},"errors":7,"kpis":[]}',
    DEEP,
    GOOD[:-1],
]
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)
FIELDS = ("complete", "uploaded", "reason", "errors", "kpis", "sim_end", "wall_s", "files", "warnings_total", "run")
REPORTS = st.fixed_dictionaries(
    {"outcome": st.sampled_from(["succeeded", "sumo_failed", "interrupted"])}, optional=dict.fromkeys(FIELDS, ANY_JSON)
)
TEXTS = (REPORTS | ANY_JSON).map(json.dumps) | st.text()


def call_command_quietly(*arguments: Any) -> str:
    out = StringIO()
    *words, cluster = arguments
    call_command(*words, str(cluster.config.kubeconfig), stdout=out)
    return out.getvalue()


def started_job(**columns: Any) -> Job:
    now = timezone.now()
    return JobFactory(status="RUNNING", reason="RUNNING", dispatched_at=now, started_at=now, **columns)


def examples(test: Any) -> Any:
    for text in HOSTILE:
        test = example(text, 0)(test)
    return test


def store_manifest(job: Job, content: bytes) -> None:
    name = default_storage.save(f"results/{job.job_id.hex}", ContentFile(content))
    Artifact.objects.create(
        job=job, attempt=1, name="manifest.json", file=name, size_bytes=len(content), sha256="0" * 64
    )


def ends(job: Job, beside: Job, api: CannedApi) -> None:
    api.add(beside, message=GOOD)
    this_pass = reconcile_once(gateway_of(api))
    assert this_pass.counts.errors == 0
    for each in (job, beside):
        each.refresh_from_db()
    assert job.is_finished or job.attempt == 2  # INTERRUPTED begins again
    assert (beside.status, beside.results["kpis"]) == ("SUCCEEDED", {"teleports": 1})


@settings(max_examples=6)
@given(TEXTS, st.sampled_from([0, 66, 75]))
@examples
def test_any_termination_message_ends_the_job(text: str, exit_code: int) -> None:
    with transaction.atomic():
        job, api = started_job(), CannedApi()
        api.add(job, message=text, exit_code=exit_code)
        ends(job, started_job(), api)
        transaction.set_rollback(True)


@settings(max_examples=6)
@given(TEXTS, st.sampled_from([0, 74]))
@examples
def test_any_manifest_ends_the_job(text: str, exit_code: int) -> None:
    """Read when the message is lost."""
    with transaction.atomic():
        job, api = started_job(), CannedApi()
        store_manifest(job, text.encode("utf-8", "surrogatepass"))
        api.add(job, message="a log's last line", exit_code=exit_code)
        ends(job, started_job(), api)
        transaction.set_rollback(True)


def test_what_is_no_number_is_null_and_the_rest_counts() -> None:
    job, api = started_job(), CannedApi()
    api.add(job, message=HOSTILE[0])
    reconcile_once(gateway_of(api))
    job.refresh_from_db()
    assert (job.status, job.results["kpis"]) == ("SUCCEEDED", {"co2_kg": None, "a": None, "b": None, "teleports": 2})


UNRECORDABLE = [
    {"results": {"a": float("nan")}},
    {"results": {"a": "\0"}},
    {"pod_name": "x" * 300},
    {"exit_code": 9**9},
]


@pytest.mark.parametrize("columns", UNRECORDABLE, ids=str)
@pytest.mark.parametrize("status, cancelled", [("SUCCEEDED", False), ("CANCELLED", True)])
def test_an_ending_that_cannot_be_recorded_is_recorded_without(
    columns: dict[str, Any], status: str, cancelled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, beside, api = started_job(), started_job(), CannedApi()
    api.add(job, message=GOOD)
    real = job_states.rules.decide

    def decide(asked: Job, *args: Any) -> Any:
        if asked.pk == job.pk:
            return job_states.rules.Decision(status, "COMPLETED", "Done.", columns)
        return real(asked, *args)

    monkeypatch.setattr(job_states.rules, "decide", decide)
    monkeypatch.setattr("clusterops.reconciler.job_states.log.exception", lambda *args: None)
    ends(job, beside, api)
    assert (job.status, job.reason) == (("CANCELLED", "CANCELLED") if cancelled else ("FAILED", "RUNNER_ERROR"))
    assert job.results is None
    assert job.events.last().message == job.message


def test_a_row_that_fails_pass_after_pass_steps_back_and_the_others_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    job, api, memory = started_job(), CannedApi(), Memory()
    api.add(job, exit_code=None)
    tries = []

    def decide(asked: Job, *args: Any) -> None:
        if asked.pk == job.pk:
            tries.append(asked.pk)
            raise RuntimeError("broken\0row")

    monkeypatch.setattr(job_states.rules, "decide", decide)
    monkeypatch.setattr("clusterops.reconciler.pass_state.log.exception", lambda *args: None)
    for _ in range(3):
        reconcile_once(gateway_of(api), memory)
    assert len(tries) == 1
    trouble = memory.troubles._by_name[f"job {job.pk}"]
    rests = []
    for _ in range(12):
        trouble.again_at = 0
        reconcile_once(gateway_of(api), memory)
        rests.append(round(trouble.again_at - time.monotonic()))
    assert len(tries) == 13
    assert rests == sorted(rests)
    assert rests[-1] == LONGEST_REST_S
    [told] = ReconcilerState.get().troubles
    assert (told["what"], told["times"]) == (f"job {job.pk}", 13)
    assert told["error"] == "RuntimeError: broken�row"
    assert ReconcilerState.get().counts["failing"] == 1
    monkeypatch.undo()
    trouble.again_at = 0
    reconcile_once(gateway_of(api), memory)
    assert (ReconcilerState.get().troubles, ReconcilerState.get().counts["failing"]) == ([], 0)


def test_a_cancel_does_not_wait_for_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wish is granted without the partial results; a job that nobody cancelled waits for its evidence."""
    jobs = [started_job(), started_job(cancel_requested_at=timezone.now())]
    for job in jobs:
        store_manifest(job, GOOD.encode())

    def broken(*args: Any, **kwargs: Any) -> bytes:
        raise ConnectionError("storage is gone")

    monkeypatch.setattr(type(default_storage._wrapped), "open", broken)
    monkeypatch.setattr("clusterops.reconciler.pass_state.log.exception", lambda *args: None)
    reconcile_once(gateway_of(CannedApi()))
    assert [Job.objects.get(pk=job.pk).status for job in jobs] == ["RUNNING", "CANCELLED"]


def test_hostile_pods_on_a_real_cluster_and_their_tenants_way_out(
    loop: Any, submit: Any, city: Any, fate_cluster: Any
) -> None:
    jobs = [submit(message=text) for text in HOSTILE[:5]]
    loop.until_ended(*jobs)
    assert [job.status for job in jobs] == ["SUCCEEDED", "SUCCEEDED", "FAILED", "SUCCEEDED", "FAILED"]
    assert jobs[0].results["kpis"] == {"co2_kg": None, "a": None, "b": None, "teleports": 2}
    Job.objects.filter(pk=jobs[0].pk).update(status="RUNNING", finished_at=None, released_at=None)
    Job.objects.filter(pk=jobs[0].pk).update(cancel_requested_at=timezone.now())
    loop.once()  # the way an earlier release left it: RUNNING for ever, its cancel never granted
    said = call_command_quietly("offboard_tenant", city.pk, "--erase-data", "--kubeconfig", fate_cluster)
    assert f"Erased tenant {city.pk}" in said
    assert not Job.objects.filter(tenant=city.pk).exists()
