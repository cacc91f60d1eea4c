"""GET /jobs/{id}/logs in every state, and followed by many."""

import contextlib
import http.client
import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from clusterops.api import logs
from clusterops.errors import ClusterUnreachable
from clusterops.gateway import default_gateway
from simulations.models import JobLog
from tests.conftest import client_with
from tests.factories import issue_key
from tests.simulations.served import web


@pytest.fixture(autouse=True)
def _this_cluster(settings, gateway, fate_cluster):
    settings.KUBE_CONFIG_PATH = str(fate_cluster.config.kubeconfig)
    default_gateway.cache_clear()
    yield
    default_gateway.cache_clear()


@pytest.fixture
def my_api(city):
    return client_with(issue_key(city))


def test_waiting_running_and_ended_jobs_answer_by_one_address(loop, submit, my_api, tmp_path: Path) -> None:
    go = tmp_path / "go"
    job = submit(hold=str(go))
    answer = my_api.get(f"/jobs/{job.pk}/logs").json()
    assert answer == answer | {"pod_name": "", "logs": "", "source": "none", "reason": "QUEUED"}
    loop.until_reason(job, "RUNNING")
    loop.until(lambda: "attempt 1" in my_api.get(f"/jobs/{job.pk}/logs").json()["logs"])
    answer = my_api.get(f"/jobs/{job.pk}/logs").json()
    assert (answer["source"], answer["pod_name"]) == ("live", job.pod_name)
    go.touch()
    loop.until_ended(job)
    line = '{"v": 1, "t": 1700000000, "event": "phase", "phase": "running", "message": "SUMO simulates."}\n'
    JobLog.objects.filter(job=job).update(text=line)
    answer = my_api.get(f"/jobs/{job.pk}/logs?readable=1").json()
    assert answer["logs"] == "22:13:20  SUMO simulates.\n"
    answer = my_api.get(f"/jobs/{job.pk}/logs?tail=1").json()
    assert answer["source"] == "stored"
    assert answer["logs"].count("\n") == 1


def test_a_silent_cluster_hides_live_logs_only(loop, submit, my_api, tmp_path, monkeypatch) -> None:
    go = tmp_path / "go"
    job, ended = submit(hold=str(go)), submit()
    loop.until_ended(ended)
    loop.until_reason(job, "RUNNING")

    class Silent:
        def read_log(self, *args, **kwargs):
            raise ClusterUnreachable("no answer")

    monkeypatch.setattr(logs, "default_gateway", Silent)
    answer = my_api.get(f"/jobs/{job.pk}/logs")
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "cluster.unreachable"
    assert my_api.get(f"/jobs/{ended.pk}/logs").status_code == 200
    go.touch()
    loop.until_ended(job)


def test_another_tenants_log_and_bad_questions(submit, my_api, other_api) -> None:
    job = submit()
    assert other_api.get(f"/jobs/{job.pk}/logs").status_code == 404
    for bad in ("tail=0", "tail=x", "tail=9999999", "lines=3"):
        assert my_api.get(f"/jobs/{job.pk}/logs?{bad}").status_code == 400


@pytest.mark.django_db(transaction=True)
def test_fifty_follow_one_log_from_before_its_pod_to_its_end(loop, submit, city, fate_cluster, tmp_path) -> None:
    go = tmp_path / "go"
    job = submit(hold=str(go))
    key = issue_key(city)

    kubeconfig = str(fate_cluster.config.kubeconfig)
    with web(KUBE_CONFIG_PATH=kubeconfig) as served, contextlib.ExitStack() as connections:

        def get(path: str) -> http.client.HTTPResponse:
            connection = http.client.HTTPConnection(urlsplit(served.url).netloc, timeout=60)
            connections.callback(connection.close)
            connection.request("GET", f"/jobs/{job.pk}{path}", headers={"Authorization": f"Bearer {key}"})
            return connection.getresponse()

        followers = [get("/logs?follow=1") for _ in range(50)]
        assert {follower.status for follower in followers} == {200}
        assert json.load(get("/logs?follow=1"))["error"]["code"] == "logs.too_many"
        # One thread each, and one that reads for all of them.
        assert sum(1 for _ in Path(f"/proc/{served.worker}/task").iterdir()) < 50 + 30
        loop.until_reason(job, "RUNNING")
        assert [get("").status for _ in range(20)] == [200] * 20  # others are served as ever
        go.touch()
        loop.until_ended(job)
        for follower in followers:
            text = follower.read().decode()
            assert text.startswith("# ")
            assert text.count(f"attempt 1 of {job.pk}\n") == 1
            assert text.endswith(f"# The job has ended: SUCCEEDED. {job.message}\n")
        again = get("/logs?follow=1&readable=1")  # places are free again; an ended job's log ends at once
        assert f"attempt 1 of {job.pk}" in again.read().decode()
