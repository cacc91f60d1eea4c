"""GET /jobs/{id}/logs in every state, and followed by many."""

import contextlib
import http.client
import json
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from client import Client
from clusterops.api import logs
from clusterops.errors import ClusterUnreachable
from clusterops.gateway import forget_gateways
from simulations.models import JobLog
from tests.conftest import client_with
from tests.factories import issue_key
from tests.simulations.served import web

pytestmark = pytest.mark.local_cluster


@pytest.fixture(autouse=True)
def _this_cluster(settings, gateway, fate_cluster):
    settings.KUBE_CONFIG_PATH = str(fate_cluster.config.kubeconfig)
    forget_gateways()
    yield
    forget_gateways()


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

    monkeypatch.setattr(logs, "gateway_of", lambda cluster: Silent())
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
    # A tenant has half of the places.
    with web(KUBE_CONFIG_PATH=kubeconfig, LOG_FOLLOWERS="100") as served, contextlib.ExitStack() as connections:

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


def test_a_place_in_a_live_log_gives_what_came_after_it(loop, submit, my_api, tmp_path) -> None:
    go = tmp_path / "go"
    job = submit(hold=str(go), chatter=True)
    loop.until_reason(job, "RUNNING")
    loop.until(lambda: "line 2" in my_api.get(f"/jobs/{job.pk}/logs").json()["logs"])
    first = my_api.get(f"/jobs/{job.pk}/logs").json()
    loop.until(lambda: my_api.get(f"/jobs/{job.pk}/logs?since={first['position']}").json()["logs"])
    second = my_api.get(f"/jobs/{job.pk}/logs?since={first['position']}").json()
    go.touch()
    loop.until_ended(job)
    both = (first["logs"] + second["logs"]).splitlines()
    assert both[1:] == [f"line {n}" for n in range(1, len(both))]
    stored = my_api.get(f"/jobs/{job.pk}/logs").json()
    assert stored["position"] is None or stored["source"] == "live"


@pytest.mark.parametrize(("bad", "code"), [("x", "invalid"), ("2026-01-01T00:00:00+02:00", "plus")])
def test_bad_places(submit, my_api, bad: str, code: str) -> None:
    path = f"/jobs/{submit().pk}/logs"
    assert my_api.get(f"{path}?since={bad}").json()["error"]["details"][0]["code"] == code
    assert my_api.get(f"{path}?follow=1", headers={"Last-Event-ID": "x"}).status_code == 400
    assert my_api.get(f"{path}?follow=1", headers={"Last-Event-ID": "end"}).status_code == 204


@pytest.mark.django_db(transaction=True)
@pytest.mark.long
def test_a_log_goes_on_after_the_web_went_away(loop, submit, city, fate_cluster, tmp_path) -> None:
    go = tmp_path / "go"
    job = submit(hold=str(go), chatter=True)
    key, kubeconfig = issue_key(city), str(fate_cluster.config.kubeconfig)
    loop.until_reason(job, "RUNNING")
    by_client: list[str] = []

    def plain(path: str) -> list[str]:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            connection.request("GET", f"/jobs/{job.pk}/logs{path}", headers={"Authorization": f"Bearer {key}"})
            answer = connection.getresponse()
            assert answer.status == 200
            started.set()
            return answer.read().decode().splitlines()

    with ThreadPoolExecutor(2) as threads:
        with web(KUBE_CONFIG_PATH=kubeconfig) as served:
            port, started = urlsplit(served.url).port, threading.Event()
            client = Client(served.url, key)
            first = threads.submit(plain, "?follow=1&tail=5000")  # a slow machine says much before
            follower = threads.submit(lambda: by_client.extend(client.job(str(job.pk)).follow_log()))
            loop.until(lambda: len(by_client) > 5 and started.is_set())
        said = first.result(30)
        assert "this server is being restarted" in said[-1]
        with web(port=port, KUBE_CONFIG_PATH=kubeconfig) as served:
            loop.until(lambda: len(by_client) > len(said))
            os.kill(served.worker, signal.SIGKILL)  # no last word at all; another worker follows
            seen = len(by_client)
            loop.until(lambda: len(by_client) > seen)
            started.clear()
            second = threads.submit(plain, said[-1].rpartition("Go on with ")[2])
            loop.until(started.is_set)
            go.touch()
            loop.until_ended(job)
            follower.result(30)
            rest = second.result(30)
    numbers = [int(line.removeprefix("line ")) for line in by_client if line.startswith("line ")]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))  # from where the log was when it began to follow
    assert rest[-1].startswith("# The job has ended: SUCCEEDED")
    lines = [line for line in [*said, *rest] if not line.startswith("# ")]
    assert lines[1:] == [f"line {n}" for n in range(1, len(lines))]
