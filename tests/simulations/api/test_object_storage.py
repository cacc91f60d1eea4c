"""With S3-compatible storage: bytes go past this service, by links that are good for one object and one method."""

import hashlib
import itertools
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from django.core.files.storage import default_storage
from moto.server import ThreadedMotoServer

from simulations import files, tokens
from simulations.models import Artifact, Job, Scenario
from simulations.sumo.run.transport import ControlPlane, RefusedByService
from tenants.clusters import Cluster
from tests.simulations.api.test_runner import Runner
from tests.simulations.scenarios import archive, upload

BUCKET = "sumok8-tests"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str, settings: Any) -> Iterator[Any]:
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {
                "bucket_name": BUCKET,
                "endpoint_url": endpoint,
                "region_name": "us-east-1",
                "access_key": "tests",
                "secret_key": "tests",
                "addressing_style": "path",
                "signature_version": "s3v4",
                "file_overwrite": True,
                "querystring_expire": 600,
            },
        }
    }
    storage: Any = default_storage
    storage.connection.create_bucket(Bucket=BUCKET)
    made = storage.bucket
    yield made
    made.objects.all().delete()
    made.delete()


def test_a_scenario_from_upload_to_deletion(bucket: Any, api: Any) -> None:
    assert upload(api).status_code == 201
    (stored,) = bucket.objects.all()
    assert stored.key == str(Scenario.objects.get().file)
    answer = api.get("/scenarios/town/archive")
    assert answer.status_code == 302
    with urllib.request.urlopen(answer["Location"]) as content:
        assert content.read() == archive()
        assert content.headers["Content-Disposition"] == 'attachment; filename="town-v1.zip"'
        assert content.headers["Content-Type"] == "application/octet-stream"
    assert api.delete("/scenarios/town").status_code == 204
    assert list(bucket.objects.all()) == []


@pytest.mark.django_db(transaction=True)
def test_the_runner_reads_and_writes_past_us(bucket: Any, live_server: Any, api: Any, job: Job, tmp_path: Path) -> None:
    token = tokens.issue(job.pk, 1, 60)
    runner = ControlPlane(live_server.url, job_id=str(job.pk), token=token, attempt=1)
    until = time.monotonic() + 30
    sha256 = runner.fetch_scenario(tmp_path / "in.zip", max_bytes=10**6, deadline=lambda: until)
    assert sha256 == hashlib.sha256(archive()).hexdigest()

    result = tmp_path / "result"
    for content in (b"x" * 100_000, b""):
        result.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        for _ in range(2):
            runner.upload(result, f"out/{len(content)}", sha256=digest, deadline=lambda: until)
        assert bucket.Object(str(Artifact.objects.get(name=f"out/{len(content)}").file)).get()["Body"].read() == content
    runner.upload(result, "manifest.json", sha256=digest, deadline=lambda: until)
    with pytest.raises(RefusedByService) as refused:
        runner.upload(result, "out/100000", sha256=digest, deadline=lambda: until)
    assert refused.value.status == 409

    answer = api.get(f"/jobs/{job.pk}/results/out/100000")
    assert answer.status_code == 302
    with urllib.request.urlopen(answer["Location"]) as content:
        assert content.read() == b"x" * 100_000


def test_the_bucket_of_a_region_is_given_links_of_its_own(bucket: Any, settings: Any, api: Any, job: Job) -> None:
    folder = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    settings.STORAGES = settings.STORAGES | {"default": folder, "eu": settings.STORAGES["default"]}
    Job.objects.update(cluster=Cluster.objects.create(name="far", storage="eu"))
    runner = Runner(job.pk)
    redirect = runner.store("a", b"abc", **{"X-Accept-Checksum": "sha256"})
    assert redirect.status_code == 307
    digest = files.checksum(hashlib.sha256(b"abc").hexdigest())
    assert put(redirect["Location"], b"abc", **{"x-amz-checksum-sha256": digest}) == 200
    assert confirm(runner, b"abc") == (201, "")
    stored = str(Artifact.objects.get().file)
    results = bucket.objects.filter(Prefix="results/")
    assert [f"eu:{each.key}" for each in results] == [stored]
    with urllib.request.urlopen(api.get(f"/jobs/{job.pk}/results/a")["Location"]) as content:
        assert content.read() == b"abc"
    files.delete(stored)
    assert list(results) == []


def put(link: str, content: bytes, **headers: str) -> int:
    headers = {"Content-Type": "application/octet-stream"} | headers
    try:
        with urllib.request.urlopen(urllib.request.Request(link, content, headers, method="PUT")) as answer:
            return answer.status
    except urllib.error.HTTPError as refusal:
        return refusal.code


def confirm(runner: Runner, content: bytes) -> tuple[int, str]:
    headers = {
        "X-Content-SHA256": hashlib.sha256(content).hexdigest(), "X-Attempt": "1", "X-Size": str(len(content))
    }  # fmt: skip
    answer = runner.post(f"{runner.base}/artifacts/a", headers=headers)
    return answer.status_code, answer.json().get("error", {}).get("code", "")


def test_nothing_is_recorded_that_is_not_there(bucket: Any, job: Job) -> None:
    runner = Runner(job.pk)
    redirect = runner.store("a", b"abc")
    assert redirect.status_code == 307
    assert confirm(runner, b"abc") == (422, "artifact.broken")
    for wrong in (b"wrong size", b"xyz"):
        put(redirect["Location"], wrong)
        assert confirm(runner, b"abc") == (422, "artifact.broken")
    assert not Artifact.objects.exists()
    put(redirect["Location"], b"abc")  # as a runner of before sends it: without a checksum, so it is read
    assert confirm(runner, b"abc") == (201, "")


def test_a_checksum_that_the_storage_verified_is_believed(bucket: Any, job: Job, monkeypatch: Any) -> None:
    runner = Runner(job.pk)
    link = runner.store("a", b"abc", **{"X-Accept-Checksum": "sha256"})["Location"]
    assert "x-amz-checksum-sha256" in link
    digest = files.checksum(hashlib.sha256(b"abc").hexdigest())
    moto_alone = {"x-amz-sdk-checksum-algorithm": "SHA256"}  # where S3 needs no more than the checksum
    assert put(link, b"abc", **{"x-amz-checksum-sha256": digest}, **moto_alone) == 200
    name = str(next(iter(bucket.objects.all())).key)
    head = bucket.meta.client.head_object(Bucket=BUCKET, Key=name, ChecksumMode="ENABLED")
    assert head["ChecksumSHA256"] == digest
    with monkeypatch.context() as no_reading:
        no_reading.setattr(files, "closing", None)
        assert confirm(runner, b"abc") == (201, "")
    assert put(link, b"xyz", **{"x-amz-checksum-sha256": "x"}, **moto_alone) == 200  # moto verifies nothing
    assert not files.arrived(name, 3, hashlib.sha256(b"abc").hexdigest())


def test_a_head_of_a_download(bucket: Any, api: Any) -> None:
    upload(api)
    link = api.head("/scenarios/town/archive")["Location"]
    with urllib.request.urlopen(urllib.request.Request(link, method="HEAD")) as answer:
        assert int(answer.headers["Content-Length"]) == len(archive())


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """Storage that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def connections_to(server: socket.socket) -> int:
    """Since it was asked last."""
    for number in itertools.count():
        try:
            server.accept()[0].close()
        except BlockingIOError:
            return number
    raise AssertionError


def away(endpoint: str) -> dict[str, Any]:
    options = {
        "bucket_name": BUCKET, "endpoint_url": endpoint, "access_key": "x", "secret_key": "x",
        "region_name": "us-east-1",
        "client_config": Config(connect_timeout=1, read_timeout=0.3, retries={"total_max_attempts": 1}),
    }  # fmt: skip
    return {"default": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}}


def test_storage_that_is_gone(api: Any, settings: Any) -> None:
    here = settings.STORAGES
    settings.STORAGES = here | away("http://127.0.0.1:1")
    answer = upload(api)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "storage.unavailable")
    assert answer["Retry-After"] == "10"
    assert not Scenario.objects.exists()
    settings.STORAGES = here
    assert upload(api).status_code == 201


def test_for_storage_that_is_silent_one_waits_now_and_then(api: Any, settings: Any, silent: socket.socket) -> None:
    here = settings.STORAGES
    settings.STORAGES = here | away(f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert upload(api).status_code == 503
    assert connections_to(silent)
    assert upload(api).json()["error"]["code"] == "storage.unavailable"
    assert not connections_to(silent)
    files._silent_until["default"] = 0.0  # half a minute later
    assert upload(api).status_code == 503
    assert connections_to(silent)
    settings.STORAGES = here
    assert upload(api).status_code == 201


def test_only_an_answer_ends_a_silence(bucket: Any) -> None:
    files._silent_until["default"] = time.monotonic() + 60
    assert files.download_link("results/any", "any")  # signed here
    with pytest.raises(files.ApiError):
        files.has("results/any", 1)
    files._silent_until["default"] = 0.0
    assert files.download_link("results/any", "any")
    assert files._silent_until
    assert not files.has("results/any", 1)
    assert not files._silent_until


def test_links_are_for_one_object_one_method_and_one_length(bucket: Any, job: Job) -> None:
    link = Runner(job.pk).store("a", b"abc")["Location"]
    assert f"/{BUCKET}/results/{job.pk.hex}/1/" in link
    assert "X-Amz-SignedHeaders=content-length%3Bhost" in link
    assert "X-Amz-Expires=600" in link
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(link)
