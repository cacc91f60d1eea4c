"""/runner/jobs/{job_id}/…: what a pod may do, and until when."""

import hashlib
import json
import uuid
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from simulations import tokens
from simulations.models import Artifact, Job
from tests.factories import JobFactory
from tests.simulations.scenarios import archive

pytestmark = pytest.mark.django_db
PROGRESS = {"sim_time": 60.0, "percent": 1.5, "running": 3, "halting": 0, "waiting": 0, "inserted": 4, "arrived": 1,
            "teleports": 0, "mean_speed": 9.5, "rtf": 100.0, "eta_s": None}  # fmt: skip

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


class Runner(APIClient):
    """Speaks like the program in the pod."""

    def __init__(self, job_id: uuid.UUID, attempt: int = 1, token: str | None = None) -> None:
        super().__init__()
        self.base, self.attempt = f"/runner/jobs/{job_id}", str(attempt)
        self.credentials(HTTP_AUTHORIZATION=f"Bearer {token or tokens.issue(job_id, attempt, 60)}")

    def store(self, name: str, content: bytes, **headers: str) -> Any:
        given = {"X-Content-SHA256": hashlib.sha256(content).hexdigest(), "X-Attempt": self.attempt} | headers
        url = f"{self.base}/artifacts/{name}"
        return self.put(url, content, content_type="application/octet-stream", headers=given)

    def report(self, record: Any) -> Any:
        return self.post(f"{self.base}/progress", record, format="json")


@pytest.fixture
def runner(job: Job) -> Runner:
    return Runner(job.pk)


def test_fetch_the_scenario(runner: Runner) -> None:
    answer = runner.get(f"{runner.base}/scenario", headers={"Accept": "application/zip"})
    assert answer.status_code == 200
    assert b"".join(answer) == archive()


class TestToken:
    def test_worthless_elsewhere(self, runner: Runner, job: Job) -> None:
        assert runner.get(f"/jobs/{job.pk}").status_code == 401
        assert runner.get("/scenarios").status_code == 401
        assert runner.get(f"/runner/jobs/{uuid.uuid4()}/scenario").status_code == 403

    def test_each_job_has_its_own_rate_limit(self, runner: Runner, other_tenant: Any, settings: Any) -> None:
        settings.RATE_LIMIT_JOB_TOKEN_PER_MINUTE = 2
        answers = [runner.report(PROGRESS) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [204, 204, 429]
        assert answers[2]["Retry-After"] == "30"
        another = Runner(JobFactory(tenant=other_tenant).pk)
        assert another.report(PROGRESS).status_code == 204

    def test_a_tenants_key_is_no_token(self, api: Any, job: Job) -> None:
        assert api.get(f"/runner/jobs/{job.pk}/scenario").status_code == 401

    @pytest.mark.parametrize("token", ["", "x", "x:y:z", "sk8_" + "a" * 43, "\xff"])
    def test_not_ours(self, job: Job, token: str) -> None:
        answer = Runner(job.pk, token=token or " ").get(f"/runner/jobs/{job.pk}/scenario")
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")

    def test_tampered_and_expired(self, job: Job) -> None:
        good = tokens.issue(job.pk, 1, 60)
        for token in (good[:-1] + ("a" if good[-1] != "a" else "b"), tokens.issue(job.pk, 1, -1)):
            assert Runner(job.pk, token=token).get(f"/runner/jobs/{job.pk}/scenario").status_code == 401

    def test_rotation_of_signing_keys(self, job: Job, settings: Any) -> None:
        token = tokens.issue(job.pk, 1, 60)
        old = settings.JOB_TOKEN_KEYS[0]
        settings.JOB_TOKEN_KEYS = ["new", old]
        assert tokens.verify(token) == tokens.JobClaim(job.pk, 1)
        settings.JOB_TOKEN_KEYS = ["new"]
        with pytest.raises(tokens.InvalidToken):
            tokens.verify(token)

    def test_over_with_the_job(self, runner: Runner, job: Job) -> None:
        job.move_to("SUCCEEDED", reason="COMPLETED", message="")
        assert runner.get(f"{runner.base}/scenario").status_code == 410
        assert runner.store("a", b"x").status_code == 410
        assert runner.report(PROGRESS).status_code == 410

    def test_over_with_the_attempt(self, runner: Runner, job: Job) -> None:
        Job.objects.filter(pk=job.pk).update(attempt=2)
        assert runner.get(f"{runner.base}/scenario").status_code == 410
        assert runner.store("a", b"x").status_code == 410
        assert runner.report(PROGRESS).status_code == 410
        assert Runner(job.pk, 2).store("a", b"x").status_code == 201


class TestArtifacts:
    def test_stored_once(self, runner: Runner, job: Job) -> None:
        assert runner.store("scenario/out/a.xml", b"abc").status_code == 201
        assert runner.store("scenario/out/a.xml", b"abc").status_code == 200
        assert runner.store("manifest.json", b"{}").status_code == 201
        answer = runner.store("scenario/out/a.xml", b"abd")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "artifact.exists")
        artifact = Artifact.objects.get(name="scenario/out/a.xml")
        assert (artifact.size_bytes, artifact.attempt, artifact.job) == (3, 1, job)
        with artifact.file.open() as stored:
            assert stored.read() == b"abc"

    @pytest.mark.django_db(transaction=True)
    def test_a_replaced_pod_starts_its_delivery_over(self, runner: Runner) -> None:
        """Evicted while uploading: the second pod of the attempt has other bytes, and the manifest is its own."""
        assert runner.store("sumo.log", b"cut off").status_code == 201
        before = Artifact.objects.get()
        assert runner.store("sumo.log", b"complete").status_code == 201
        assert runner.store("manifest.json", b"{}").status_code == 201
        after = Artifact.objects.get(name="sumo.log")
        with after.file.open() as stored:
            assert stored.read() == b"complete"
        assert not before.file.storage.exists(before.file.name)

    def test_a_pod_that_was_interrupted_gives_way_to_its_replacement(self, runner: Runner) -> None:
        """Drained with time to store what it had, its manifest too: that is not yet what the attempt comes to."""
        assert runner.store("sumo.log", b"half").status_code == 201
        assert runner.store("manifest.json", b'{"outcome":"interrupted"}').status_code == 201
        assert runner.store("sumo.log", b"whole").status_code == 201
        assert runner.store("manifest.json", b'{"outcome":"succeeded"}').status_code == 201
        assert runner.store("sumo.log", b"other").status_code == 409
        with Artifact.objects.get(name="sumo.log").file.open() as stored:
            assert stored.read() == b"whole"

    def test_a_name_may_be_a_folder_of_another(self, runner: Runner) -> None:
        assert runner.store("a", b"1").status_code == 201
        assert runner.store("a/b", b"2").status_code == 201
        assert (
            runner.put(
                f"{runner.base}/artifacts/empty",
                headers={"X-Content-SHA256": hashlib.sha256().hexdigest(), "X-Attempt": "1", "Content-Length": "0"},
            ).status_code
            == 201
        )

    def test_damaged_on_the_way(self, runner: Runner) -> None:
        answer = runner.store("a", b"abc", **{"X-Content-SHA256": "0" * 64})
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "artifact.broken")
        assert runner.store("a", b"abc").status_code == 201

    @pytest.mark.parametrize(
        "name",
        ["../a", "a/../b", "a//b", "./a", "a/", "a%00b", "a%0Ab", "a%5Cb", "x" * 256, "%2Fetc/passwd", "ä" * 128],
    )
    def test_names(self, runner: Runner, name: str) -> None:
        answer = runner.store(name, b"x")
        assert answer.status_code in {400, 404}, answer
        assert not Artifact.objects.exists()

    @pytest.mark.parametrize(
        "headers", [{"X-Content-SHA256": "zz"}, {"X-Content-SHA256": ""}, {"X-Attempt": "2"}, {"X-Attempt": ""}]
    )
    def test_headers(self, runner: Runner, headers: dict[str, str]) -> None:
        assert runner.store("a", b"x", **headers).status_code == 400

    def test_length_is_required(self, runner: Runner) -> None:
        answer = runner.generic("PUT", f"{runner.base}/artifacts/a", b"")
        assert answer.status_code == 411

    def test_limits(self, runner: Runner, settings: Any) -> None:
        settings.JOB_MAX_OUTPUT_BYTES = 10
        assert runner.store("a", b"123456").status_code == 201
        answer = runner.store("b", b"12345")
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "results.job_limit")
        settings.JOB_MAX_OUTPUT_BYTES, settings.TENANT_MAX_RESULT_BYTES = 100, 10
        answer = runner.store("b", b"12345")
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "results.tenant_limit")
        assert runner.store("b", b"1234").status_code == 201


class TestProgress:
    def test_one_update(self, runner: Runner, job: Job, api: Any) -> None:
        with CaptureQueriesContext(connection) as captured:
            assert runner.report(PROGRESS | {"note": "ignored"}).status_code == 204
        _rate_limit, statement = captured
        assert statement["sql"].startswith("UPDATE")
        shown = api.get(f"/jobs/{job.pk}").json()
        at = shown["progress"].pop("at")
        assert at.endswith("Z")
        assert shown["progress"] == PROGRESS
        assert shown["status"] == "PENDING"

    @pytest.mark.parametrize(
        "record",
        [
            *([], {}, {"sim_time": "1"}, PROGRESS | {"running": -1}, PROGRESS | {"percent": 101}, {"note": "x" * 9000}),
            *(PROGRESS | {"eta_s": 1e300}, PROGRESS | {"arrived": 2**62}, PROGRESS | {"sim_time": -1e13}),
        ],
        ids=lambda record: str(record)[:30],
    )
    def test_refused(self, runner: Runner, record: Any) -> None:
        assert runner.report(record).status_code in {400, 413}
        assert Job.objects.get().progress is None

    @settings(max_examples=30, deadline=None)
    @given(
        st.text() | ANY_JSON.map(json.dumps) | st.fixed_dictionaries(dict.fromkeys(PROGRESS, ANY_JSON)).map(json.dumps)
    )
    @example('{"sim_time": NaN, "running": 1}')
    @example('{"sim_time": 1e999, "running": 1}')
    @example("[" * 8000)
    def test_any_json_is_taken_or_refused(self, text: str) -> None:
        with transaction.atomic():
            job = JobFactory(status="RUNNING")
            runner = Runner(job.pk)
            body = text.encode("utf-8", "surrogatepass")
            answer = runner.post(f"{runner.base}/progress", body, content_type="application/json")
            assert answer.status_code in {204, 400, 413}
            transaction.set_rollback(True)
