"""/jobs/{job_id}/results and its files."""

import gzip
import json
from typing import Any

import pytest

from simulations.api.serializers import KpisSerializer
from simulations.models import Job
from tests.simulations.api.test_runner import Runner

pytestmark = pytest.mark.django_db
NONE: dict[str, float | None] = dict.fromkeys(KpisSerializer().fields)
MANIFEST = {
    "outcome": "succeeded",
    "complete": True,
    "kpis": {"vehicles_inserted": 8779, "co2_kg": None, "bad": "text", "endless": float("inf")},
    "warnings": [{"code": "quality.teleports", "message": "many"}, "nonsense"],
    "errors": [],
}


def deliver(job: Job) -> None:
    runner = Runner(job.pk)
    assert runner.store("tripinfo.xml.gz", gzip.compress(b"<tripinfos/>")).status_code == 201
    assert runner.store("scenario/out/<b> ö.html", b"<script>alert(1)</script>").status_code == 201
    assert runner.store("manifest.json", json.dumps(MANIFEST).encode()).status_code == 201


def test_before_anything_came(api: Any, job: Job) -> None:
    assert api.get(f"/jobs/{job.pk}/results").json() == {
        "job_id": str(job.pk), "status": "PENDING", "reason": "QUEUED", "attempt": 1, "complete": False,
        "kpis": NONE, "warnings": [], "errors": [], "files": [],
    }  # fmt: skip


def test_results(api: Any, job: Job) -> None:
    deliver(job)
    recorded = {"complete": True, "kpis": {"vehicles_inserted": 8779}, "errors": []}
    job.move_to("SUCCEEDED", reason="COMPLETED", message="Done.", results=recorded)
    results = api.get(f"/jobs/{job.pk}/results").json()
    assert results["complete"] is True
    assert results["kpis"] == NONE | {"vehicles_inserted": 8779}
    assert results["warnings"] == [MANIFEST["warnings"][0] | {"where": None}]
    assert [file["name"] for file in results["files"]] == sorted(file["name"] for file in results["files"])
    for file in results["files"]:
        answer = api.get(file["url"])
        content = b"".join(answer)
        assert len(content) == file["size_bytes"]
        assert answer["X-Content-SHA256"] == file["sha256"]
    assert api.get(f"/jobs/{job.pk}").json()["results"]["kpis"] == {"vehicles_inserted": 8779}


def test_the_manifest_alone(api: Any, job: Job) -> None:
    deliver(job)
    results = api.get(f"/jobs/{job.pk}/results").json()
    assert results["kpis"] == NONE | {"vehicles_inserted": 8779}


@pytest.mark.parametrize("manifest", [b"", b"[]", b"{", b'{"kpis": [], "warnings": 1, "errors": {}}', b"[" * 9999])
def test_a_manifest_that_makes_no_sense(api: Any, job: Job, manifest: bytes) -> None:
    Runner(job.pk).store("manifest.json", manifest)
    results = api.get(f"/jobs/{job.pk}/results").json()
    assert (results["kpis"], results["warnings"], results["complete"]) == (NONE, [], False)


def test_files_are_only_ever_saved(api: Any, job: Job) -> None:
    deliver(job)
    (html,) = [file for file in api.get(f"/jobs/{job.pk}/results").json()["files"] if "html" in file["name"]]
    answer = api.get(html["url"], headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "Content-Encoding" not in answer
    answer.close()


def test_only_the_present_attempts(api: Any, job: Job) -> None:
    deliver(job)
    Job.objects.filter(pk=job.pk).update(attempt=2)
    assert api.get(f"/jobs/{job.pk}/results").json()["files"] == []
    assert api.get(f"/jobs/{job.pk}/results/manifest.json").status_code == 404


@pytest.mark.parametrize("name", ["nope", "a%00b", "..%2F..%2Fetc%2Fpasswd", "%FF"])
def test_not_there(api: Any, job: Job, name: str) -> None:
    assert api.get(f"/jobs/{job.pk}/results/{name}").status_code == 404


def test_another_tenants(other_api: Any, job: Job) -> None:
    deliver(job)
    assert other_api.get(f"/jobs/{job.pk}/results").status_code == 404
    assert other_api.get(f"/jobs/{job.pk}/results/manifest.json").status_code == 404
