"""What is counted is what ran: whatever the cluster tells, in whatever order, and wherever the reconciler dies."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.db import IntegrityError, transaction
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from clusterops.reconciler.one_pass import reconcile_once
from clusterops.reconciler.pass_state import Memory
from clusterops.usage import recording, rules
from clusterops.usage.counting import Period, groups, total
from clusterops.usage.models import PodRun, PodRunQuerySet
from simulations.models import Job, JobQuerySet
from simulations.sumo.protocol.endings import ENDINGS
from tests.clusterops.reconciler.canned import CannedApi, gateway_of
from tests.clusterops.reconciler.test_hostile_reports import started_job

pytestmark = pytest.mark.django_db
BEGAN = datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC)  # of the canned pods
ENDED = datetime(2026, 1, 1, 0, 0, 9, tzinfo=UTC)
GOOD = {"outcome": "succeeded", "complete": True, "uploaded": True, "kpis": {}}


def started(api: CannedApi, **columns: Any) -> Job:
    job = started_job(**columns)
    api.add(job, exit_code=None)
    return job


def end(api: CannedApi, job: Job, outcome: str, exit_code: int) -> None:
    remove(api, job)
    api.add(job, message=json.dumps(GOOD | {"outcome": outcome}), exit_code=exit_code)


def remove(api: CannedApi, job: Job) -> None:
    for kind in ("jobs", "pods"):
        api.lists[kind] = [each for each in api.lists[kind] if job.k8s_job_name not in each["metadata"]["name"]]


def only_run(job: Job) -> PodRun:
    return PodRun.objects.get(job_id=job.pk)


@pytest.mark.parametrize(
    "outcome, exit_code, ending, billable",
    [
        ("succeeded", 0, "COMPLETED", True),
        ("sumo_failed", 66, "SUMO_FAILED", True),
        ("sumo_crashed", 70, "SUMO_CRASHED", True),
        ("out_of_memory", 71, "OUT_OF_MEMORY", True),
        ("internal", 72, "RUNNER_ERROR", False),
        ("io_failed", 74, "RESULTS_NOT_STORED", False),
        ("interrupted", 75, "INTERRUPTED", False),
    ],
)
def test_each_ending_is_billed_by_the_rule(outcome, exit_code, ending, billable):
    api = CannedApi()
    job = started(api, cpu_request=2, memory_gi=3, labels={"team": "a"})
    reconcile_once(gateway_of(api))
    assert (only_run(job).ending, only_run(job).billable) == ("", False)
    end(api, job, outcome, exit_code)
    reconcile_once(gateway_of(api))
    run = only_run(job)
    assert (run.ending, run.billable, run.end_is_estimate) == (ending, billable, False)
    assert (run.started_at, run.ended_at, run.duration) == (BEGAN, ENDED, timedelta(seconds=8))
    assert (run.cpu, run.memory_gi, run.tenant, run.labels) == (2, 3, job.tenant, {"team": "a"})
    assert run.scenario_id == job.scenario_data["scenario_id"]
    assert run.why


def test_a_job_that_never_started_leaves_no_row():
    api = CannedApi()
    job = started(api)
    api.lists["pods"][0]["status"] = {"phase": "Pending"}
    reconcile_once(gateway_of(api))
    remove(api, job)
    reconcile_once(gateway_of(api))
    job.refresh_from_db()
    assert (job.status, PodRun.objects.count()) == ("FAILED", 0)


def test_each_attempt_has_its_own_times_though_the_job_keeps_its_first_start():
    api, memory = CannedApi(), Memory()
    job = started(api)
    end(api, job, "interrupted", 75)
    reconcile_once(gateway_of(api), memory)
    job.refresh_from_db()
    end(api, job, "succeeded", 0)
    api.lists["pods"][-1]["status"]["containerStatuses"][0]["state"]["terminated"]["startedAt"] = "2026-01-01T00:00:04Z"
    reconcile_once(gateway_of(api), memory)
    told = PodRun.objects.order_by("attempt").values_list("attempt", "ending", "billable")
    assert list(told) == [(1, "INTERRUPTED", False), (2, "COMPLETED", True)]
    assert PodRun.objects.get(attempt=2).duration == timedelta(seconds=5)


def test_a_pod_that_the_cluster_replaced_is_not_billed_and_the_one_after_it_is():
    api, memory = CannedApi(), Memory()
    job = started(api)
    reconcile_once(gateway_of(api), memory)
    api.lists["pods"][0]["metadata"] |= {"name": "another", "uid": "another"}
    reconcile_once(gateway_of(api), memory)
    end(api, job, "succeeded", 0)
    api.lists["pods"] = api.lists["pods"][-1:]
    api.lists["pods"][0]["metadata"]["name"] = "another"
    reconcile_once(gateway_of(api), memory)
    told = PodRun.objects.order_by("id").values_list("pod_name", "ending", "billable", "end_is_estimate")
    assert list(told) == [(f"{job.k8s_job_name}-pod", "PREEMPTED", False, True), ("another", "COMPLETED", True, False)]


def cancelled(api: CannedApi, memory: Memory) -> Job:
    job = started(api)
    reconcile_once(gateway_of(api), memory)
    job.request_cancel()
    reconcile_once(gateway_of(api), memory)
    assert api.deleted == [job.k8s_job_name]
    return job


def test_a_cancelled_run_is_billed_when_its_end_was_seen():
    api, memory = CannedApi(), Memory()
    job = cancelled(api, memory)
    end(api, job, "interrupted", 75)
    pod = api.lists["pods"][-1]
    pod["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:08Z"}
    pod["status"]["phase"] = "Running"
    api.lists["jobs"] = []
    reconcile_once(gateway_of(api), memory)
    assert (only_run(job).ending, only_run(job).ended_at) == ("", ENDED)
    remove(api, job)
    reconcile_once(gateway_of(api), memory)
    run = only_run(job)
    assert (run.ending, run.billable, run.end_is_estimate, run.ended_at) == ("CANCELLED", True, False, ENDED)


def test_a_cancelled_run_whose_end_nobody_saw_is_not_billed():
    api, memory = CannedApi(), Memory()
    job = cancelled(api, memory)
    seen_at = Job.objects.get().observed_at
    remove(api, job)
    reconcile_once(gateway_of(api), memory)
    run = only_run(job)
    assert (run.ending, run.billable, run.end_is_estimate) == ("CANCELLED", False, True)
    assert run.ended_at == seen_at.replace(microsecond=0)
    assert run.why == rules.UNKNOWN_END


@pytest.mark.parametrize(
    "wall_s, seconds", [(7.9, 7), (0, 0), (float("inf"), None), (-1, None), ("7", None), (True, None)]
)
def test_a_stored_report_tells_how_long_it_ran(wall_s, seconds):
    job = started_job()
    row = PodRun(started_at=BEGAN)
    told = recording._end_by_report(row, {"wall_s": wall_s})
    assert told == (None if seconds is None else BEGAN + timedelta(seconds=seconds))
    assert job.is_finished is False


def test_a_row_that_has_ended_is_neither_changed_nor_deleted_but_outlives_its_tenant():
    api = CannedApi()
    job = started(api)
    end(api, job, "succeeded", 0)
    reconcile_once(gateway_of(api))
    for wrong in (lambda: PodRun.objects.update(cpu=9), lambda: PodRun.objects.all().delete()):
        with pytest.raises(IntegrityError, match="evidence"), transaction.atomic():
            wrong()
    tenant = job.tenant
    Job.objects.all().delete()
    tenant.scenarios.all().delete()
    tenant.delete()
    assert (only_run(job).tenant, only_run(job).tenant_name) == (None, tenant.tenant_id or job.tenant_id)


class Crash(BaseException):
    """The process dies here."""


FATES = st.sampled_from([("succeeded", 0), ("sumo_failed", 66), ("interrupted", 75), ("internal", 72), ("gone", None)])
LIVES = st.lists(st.tuples(FATES, st.integers(0, 90_000), st.integers(1, 4), st.booleans()), min_size=1, max_size=4)


@given(lives=st.lists(LIVES, min_size=1, max_size=3))
@settings(max_examples=4, phases=[Phase.generate])
def test_usage_is_the_sum_of_what_ran_wherever_the_reconciler_dies(lives):
    """Each life is a job: its attempts' fates, seconds, cores, and whether the pass that ends it dies first."""
    with transaction.atomic():
        expected = {job: (played(job, life)) for life in lives for job in [started_job(cpu_request=life[0][2])]}
        for job, attempts in expected.items():
            runs = PodRun.objects.ended().filter(job_id=job.pk)
            assert sorted(runs.values_list("attempt", flat=True)) == list(range(1, len(attempts) + 1))
            told = total(runs)
            billed = [seconds for seconds, is_billed in attempts if is_billed]
            assert told.billable.seconds == sum(billed)
            assert told.billable.cpu_seconds == sum(billed) * job.cpu_request
            assert told.billable.runs == len(billed)
            # The timeline tells of the same attempts; a job is cancelled here before its last one begins.
            last = max(event.attempt for event in job.events.all())
            assert len(attempts) == last - (job.status == "CANCELLED")
        everything = PodRun.objects.ended().filter(job_id__in=[job.pk for job in expected])
        whole = total(everything)
        for by in ("day", "scenario", "job", "ending", "tenant"):
            found, more = groups(everything, by)
            assert not more
            for which in ("all", "billable"):
                for item in ("runs", "seconds", "cpu_seconds", "gib_seconds"):
                    assert sum(getattr(getattr(each, which), item) for each in found) == getattr(
                        getattr(whole, which), item
                    )
        transaction.set_rollback(True)


def played(job: Job, life: list[Any]) -> list[tuple[int, bool]]:
    """Run the job through its life; (seconds, billed) of each attempt that ended."""
    api, told = CannedApi(), []
    for (outcome, exit_code), seconds, _, dies in life:
        remove(api, job)
        api.add(job, exit_code=None)
        reconcile_once(gateway_of(api), Memory())
        if exit_code is None:
            remove(api, job)
        else:
            end(api, job, outcome, exit_code)
            ended = api.lists["pods"][-1]["status"]["containerStatuses"][0]["state"]["terminated"]
            ended["finishedAt"] = f"{BEGAN + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"
        if dies:
            for where, victim in ((recording, "_books"), (PodRunQuerySet, "bulk_create"), (JobQuerySet, "move_all")):
                with mock.patch.object(where, victim, side_effect=Crash), pytest.raises(Crash):
                    reconcile_once(gateway_of(api), Memory())
                assert not PodRun.objects.ended().filter(job_id=job.pk, attempt=job.attempt).exists()
        reconcile_once(gateway_of(api), Memory())
        reconcile_once(gateway_of(api), Memory())  # once more changes nothing
        job.refresh_from_db()
        told.append((seconds, outcome in {"succeeded", "sumo_failed"}))
        if job.is_finished:
            break
    else:
        job.request_cancel()
        remove(api, job)
        reconcile_once(gateway_of(api), Memory())
        job.refresh_from_db()
        assert job.status == "CANCELLED"
    return told


def test_a_month_has_its_days_also_when_the_clocks_change(settings):
    settings.BILLING_TIME_ZONE = "Europe/Zurich"
    hours = {month: _hours(Period.month(2026, month)) for month in (2, 3, 10, 12)}
    assert hours == {2: 28 * 24, 3: 31 * 24 - 1, 10: 31 * 24 + 1, 12: 31 * 24}
    assert Period.month(2026, 12).until == Period.month(2027, 1).since


def _hours(period: Period) -> float:
    first, end = (moment.astimezone(UTC) for moment in period.moments)
    return (end - first) / timedelta(hours=1)


def test_the_rule_is_published_as_it_is():
    row = (Path(__file__).parents[3] / "docs" / "usage.md").read_text().split("|---|---|\n")[1].splitlines()[0]
    billed, not_billed = (set(re.findall(r"`([A-Z_]+)`", cell)) for cell in row.strip("|").split("|"))
    ends_a_job = {str(reason) for reason, row in ENDINGS.items() if row.status}
    assert (billed, not_billed) == (rules.BILLED, ends_a_job - rules.BILLED)
