"""/scenarios: upload, list, look inside, download, delete."""

import hashlib
import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from simulations import files
from simulations.api.serializers import UploadedScenarioSerializer
from simulations.api.storage import StorageSerializer, UseSerializer
from simulations.models import Job, Scenario
from tests.simulations.scenarios import archive, upload

pytestmark = pytest.mark.django_db


def test_upload_tells_what_was_found(api: Any) -> None:
    content = archive()
    answer = upload(api, "zurich_peak", content)
    assert answer.status_code == 201
    assert answer["Location"] == "/scenarios/zurich_peak?version=1"
    body = answer.json()
    assert list(body) == list(UploadedScenarioSerializer().fields)
    assert body["storage"].keys() == StorageSerializer().fields.keys()
    assert body["storage"]["scenarios"].keys() == UseSerializer().fields.keys()
    assert body["sha256"] == hashlib.sha256(content).hexdigest()
    assert body["size_bytes"] == len(content)
    assert body["config"] == "run.sumocfg"
    assert body["inspection"]["end"] == 100
    assert body["inspection"]["net"]["edges"] == 1
    assert [each["path"] for each in body["inspection"]["inputs"]] == ["net.net.xml", "demand.rou.xml"]


def test_a_dry_run_tells_and_keeps_nothing(api: Any) -> None:
    content = archive(note="only checked")
    file = io.BytesIO(content)
    file.name = "scenario.zip"
    answer = api.post("/scenarios?dry_run=1", {"scenario_id": "town", "file": file}, format="multipart")
    assert answer.status_code == 200
    sha256 = hashlib.sha256(content).hexdigest()
    assert answer.json() == answer.json() | {"config": "run.sumocfg", "sha256": sha256, "size_bytes": len(content)}
    assert not Scenario.objects.exists()
    assert not files.has(files.scenario_name(sha256, store=files.DEFAULT), len(content))
    file = io.BytesIO(b"no zip")
    file.name = "scenario.zip"
    refused = api.post("/scenarios?dry_run=1", {"scenario_id": "town", "file": file}, format="multipart")
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "scenario.invalid")


def test_the_same_bytes_again_are_the_same_version(api: Any, town: Scenario) -> None:
    again = upload(api)
    assert (again.status_code, again.json()["version"]) == (200, 1)
    assert Scenario.objects.count() == 1


def test_versions_and_going_back(api: Any, town: Scenario) -> None:
    assert upload(api, "town", archive(note="b")).json()["version"] == 2
    back = upload(api)  # the bytes of version 1 are to be the newest again
    assert (back.status_code, back.json()["version"]) == (201, 3)
    assert back.json()["sha256"] == town.sha256
    detail = api.get("/scenarios/town").json()
    assert [row["version"] for row in detail["versions"]] == [3, 2, 1]
    assert api.get("/scenarios/town?version=2").json()["version"] == 2
    assert api.get("/scenarios/town?version=4").status_code == 404


def test_equal_content_of_two_tenants_is_stored_once(api: Any, other_api: Any, town: Scenario) -> None:
    upload(other_api, "ours")
    assert len({str(row.file) for row in Scenario.objects.all()}) == 1
    assert api.delete("/scenarios/town").status_code == 204
    assert files.has(str(town.file), town.size_bytes)
    assert b"".join(other_api.get("/scenarios/ours/archive")) == archive()
    assert other_api.delete("/scenarios/ours").status_code == 204
    assert not files.has(str(town.file), town.size_bytes)


def test_several_configurations(api: Any) -> None:
    content = archive(configs=("a.sumocfg", "b.sumocfg"))
    refused = upload(api, "two", content)
    assert refused.status_code == 422
    (problem,) = refused.json()["error"]["details"]
    assert problem["code"] == "config.ambiguous"
    assert "a.sumocfg, b.sumocfg" in problem["message"]
    assert upload(api, "two", content, config="b.sumocfg").json()["config"] == "b.sumocfg"
    assert upload(api, "two", content, config="a.sumocfg").json()["version"] == 2


def test_everything_wrong_is_listed(api: Any) -> None:
    content = archive(net="missing.net.xml", extra={"../escape.xml": b"x"})
    answer = upload(api, "bad", content)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "scenario.invalid"
    assert {entry["code"] for entry in answer.json()["error"]["details"]} >= {"input.missing", "zip.path_escape"}
    assert not Scenario.objects.exists()


@pytest.mark.parametrize("content", [b"not a zip", b"PK\x03\x04", b"PK\x05\x06" + b"\0" * 18])
def test_no_zip(api: Any, content: bytes) -> None:
    assert upload(api, "bad", content).status_code == 422


def test_wrong_forms(api: Any) -> None:
    answer = api.post("/scenarios", {"scenario_id": "a b", "nonsense": "1"}, format="multipart")
    assert answer.status_code == 400
    found = {entry.get("where") for entry in answer.json()["error"]["details"]}
    assert found == {"scenario_id", "file", "nonsense"}
    assert upload(api, "a", b"").status_code == 400
    assert upload(api, "a", config="x\0y").status_code == 400
    assert api.post("/scenarios", {"scenario_id": "a"}, format="json").status_code == 415
    broken = api.post("/scenarios", b"--x\r\nnonsense", content_type="multipart/form-data; boundary=x")
    assert broken.status_code == 400
    assert api.post("/scenarios", b"x", content_type="multipart/form-data").status_code == 400


def test_an_upload_without_a_body(api: Any) -> None:
    answer = api.generic("POST", "/scenarios")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid"


def test_a_form_with_two_files_or_a_field_twice_is_told(api: Any) -> None:
    def file() -> io.BytesIO:
        content = io.BytesIO(archive())
        content.name = "scenario.zip"
        return content

    for fields, code in (
        ({"file": [file(), file()]}, "upload.two_files"),
        ({"file": file(), "another": file()}, "upload.two_files"),
        ({"file": file(), "config": ["a.sumocfg", "b.sumocfg"]}, "upload.field_twice"),
    ):
        answer = api.post("/scenarios", {"scenario_id": "a", **fields}, format="multipart")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert not Scenario.objects.exists()


def test_larger_than_allowed(api: Any, settings: Any) -> None:
    settings.SCENARIO_MAX_BYTES = 100
    for content in (b"x" * 101, b"x" * 200_000):  # by what arrives; by what is announced
        answer = upload(api, "big", content)
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "zip.too_big")


def test_list(api: Any, town: Scenario, other_api: Any) -> None:
    upload(other_api, "theirs")
    upload(api, "village")
    upload(api, "town", archive(note="b"))
    first = api.get("/scenarios?limit=1").json()
    assert [(row["scenario_id"], row["version"]) for row in first["scenarios"]] == [("town", 2)]
    second = api.get(first["next"]).json()
    assert [(row["scenario_id"], row["end"]) for row in second["scenarios"]] == [("village", 100.0)]
    assert second["next"] is None


def test_another_tenants_is_not_there(api: Any, other_api: Any, town: Scenario) -> None:
    for call in (other_api.get, other_api.delete):
        assert call("/scenarios/town").status_code == 404
    assert other_api.get("/scenarios/town/archive").status_code == 404


@pytest.mark.parametrize("path", ["nope", "%00", "a%20b", "..", "a" * 65, "nope/archive", "town?version=0", "town?v=1"])
def test_odd_addresses(api: Any, town: Scenario, path: str) -> None:
    assert api.get(f"/scenarios/{path}").status_code in {400, 404}


def test_download(api: Any, town: Scenario) -> None:
    answer = api.get("/scenarios/town/archive", headers={"Accept": "application/zip"})
    assert b"".join(answer) == archive()
    assert answer["Content-Disposition"] == 'attachment; filename="town-v1.zip"'
    assert answer["Content-Length"] == str(len(archive()))


def test_delete_is_refused_while_a_job_needs_it(api: Any, job: Job) -> None:
    answer = api.delete("/scenarios/town")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "scenario.in_use")
    assert answer.json()["error"]["details"][0]["job_id"] == str(job.pk)
    upload(api, "town", archive(note="b"))
    assert api.delete("/scenarios/town?version=2").status_code == 204
    job.move_to("FAILED", reason="LOST", message="")
    assert api.delete("/scenarios/town").status_code == 204
    assert api.get("/scenarios/town").status_code == 404
    shown = api.get(f"/jobs/{job.pk}").json()
    assert (shown["scenario_id"], shown["scenario_version"]) == ("town", 1)
    # Results of version 1 must never seem to come from other content.
    assert upload(api, "town", archive(note="c")).json()["version"] == 2


class TestLoadScenario:
    def test_shared(self, api: Any, tmp_path: Any, capsys: Any) -> None:
        path = tmp_path / "midtown.zip"
        path.write_bytes(archive())
        call_command("load_scenario", str(path), "--shared")
        call_command("load_scenario", str(path), "--shared")
        assert capsys.readouterr().out.splitlines() == [
            "Scenario midtown version 1 is loaded.",
            "Scenario midtown version 1 was there already.",
        ]
        assert api.get("/scenarios/midtown").json()["shared"] is True
        answer = api.delete("/scenarios/midtown")
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "scenario.shared")
        upload(api, "midtown", archive(note="own"))
        assert [row["shared"] for row in api.get("/scenarios").json()["scenarios"]] == [False]

    def test_for_a_tenant(self, api: Any, tmp_path: Any, capsys: Any) -> None:
        path = tmp_path / "x.zip"
        path.write_bytes(archive())
        call_command("load_scenario", str(path), "--tenant", "city-a", "--scenario-id", "own")
        assert api.get("/scenarios/own").json()["shared"] is False

    @pytest.mark.parametrize("arguments", [["--tenant", "nobody"], ["--shared", "--scenario-id", "a b"], ["--shared"]])
    def test_problems_are_sentences(self, tmp_path: Any, arguments: list[str]) -> None:
        path = tmp_path / "x.zip"
        path.write_bytes(b"no zip")
        with pytest.raises(CommandError):
            call_command("load_scenario", str(path), *arguments)


def test_a_file_that_is_cut_short_leaves_nothing_behind(db: None) -> None:
    content = b"x" * 1000
    digest = hashlib.sha256(content).hexdigest()
    name = files.scenario_name(digest, store=files.DEFAULT)
    for wrong in (content[:-1], b"y" * 1000):
        with pytest.raises(files.BrokenUpload):
            files.store(name, io.BytesIO(wrong), size=1000, sha256=digest)
        assert not files.has(name, 1000)
    files.store(name, io.BytesIO(content), size=1000, sha256=digest)
    with files.open_file(name) as stored:
        assert stored.read() == content
