"""From a queued row to a recorded end on a local cluster."""

import pytest

from simulations.models import Job, JobLog

pytestmark = pytest.mark.local_cluster


def test_a_job_runs_and_its_outcome_log_and_release_are_recorded(loop, submit, gateway, settings) -> None:
    job = submit(report={"kpis": {"trips_finished": 7}})
    loop.until_ended(job)
    assert (job.status, job.reason, job.exit_code) == ("SUCCEEDED", "COMPLETED", 0)
    assert job.results["kpis"] == {"trips_finished": 7}
    assert job.submitted_at <= job.dispatched_at
    assert job.started_at <= job.finished_at
    assert job.pod_name.startswith(job.k8s_job_name)
    log = JobLog.objects.get(job=job)
    assert log.is_final
    assert f"attempt 1 of {job.job_id}" in log.text
    assert job.released_at
    run = next(run for run in gateway.list_runs() if run.name == job.k8s_job_name)
    assert run.ttl_s == settings.JOB_TTL_AFTER_CAPTURE_SECONDS
    assert next(event.reason for event in job.events.all()) == "STARTING"
    assert loop.once().counts.changed == 0


def test_a_failure_is_told_in_sumos_words(loop, submit) -> None:
    error = {"code": "sumo.load", "where": None, "message": "Error: edge 'a' is not known."}
    job = submit(outcome="sumo_failed", exit=66, report={"errors": [error]})
    loop.until_ended(job)
    assert (job.status, job.reason, job.message) == ("FAILED", "SUMO_FAILED", "Error: edge 'a' is not known.")
    assert job.exit_code == 66


def test_results_that_were_not_stored_are_no_success(loop, submit) -> None:
    job = submit(report={"uploaded": False})
    loop.until_ended(job)
    assert (job.status, job.reason) == ("FAILED", "RESULTS_NOT_STORED")


def test_an_interruption_leads_to_a_new_attempt_and_not_to_a_third_beyond_the_limit(loop, submit, settings) -> None:
    settings.MAX_ATTEMPTS = 2
    job = submit(outcome="interrupted", exit=75)
    loop.until_ended(job)
    assert (job.status, job.reason, job.attempt) == ("FAILED", "INTERRUPTED", 2)
    assert job.k8s_job_name.endswith("-2")
    assert Job.objects.get(pk=job.pk).released_at
