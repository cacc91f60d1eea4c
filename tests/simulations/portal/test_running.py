"""What engineers do on the pages: upload, submit, cancel, run again."""

import io
import re
import zipfile
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from simulations.models import Job, Scenario, ScenarioProfile
from tenants.models import Tenant
from tests.factories import JobFactory
from tests.simulations.portal.conftest import Who
from tests.simulations.scenarios import archive

SUBMITTED = {"scenario_id": "town", "runs": "1", "cpu_request": "1", "memory_gi": "1", "submit": "1"}


def _zip(content: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile("My town (new).zip", archive() if content is None else content, "application/zip")


def _packed(name: str, text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr(name, text)
    return buffer.getvalue()


@pytest.fixture
def engineer(client_of: Who) -> Client:
    return client_of("engineer")


@pytest.fixture
def town(engineer: Client) -> Scenario:
    assert engineer.post("/t/city-a/upload", {"scenario_id": "town", "file": _zip()}).status_code == 302
    return Scenario.objects.get()


def test_an_upload_is_named_after_its_file_and_told_to_scripts(engineer: Client, tenant: Tenant) -> None:
    answer = engineer.post("/t/city-a/upload", {"file": _zip()}, headers={"Accept": "application/json"})
    assert answer.json() == {"address": "/t/city-a/scenarios/My-town-new"}
    page = engineer.get("/t/city-a/scenarios/My-town-new").content.decode()
    assert "My-town-new v1 is stored." in page
    assert Scenario.objects.get().tenant == tenant
    saved = engineer.get("/t/city-a/scenarios/My-town-new/archive")
    assert b"".join(saved) == archive()
    assert engineer.post("/t/city-a/scenarios/My-town-new/delete").status_code == 302
    assert not Scenario.objects.exists()


def test_a_scenario_is_drawn_and_its_versions_compared(engineer: Client, town: Scenario) -> None:
    page = engineer.get("/t/city-a/scenarios/town").content.decode()
    assert "net-picture" not in page  # it is fetched after the page
    part = engineer.get("/t/city-a/scenarios/town/glance", headers={"HX-Request": "true"}).content.decode()
    assert '<path d="M0 0L600 0"/>' in part
    assert "veh/h" in part
    more = _zip(archive(extra={"notes.txt": b"new"}))
    engineer.post("/t/city-a/upload", {"scenario_id": "town", "file": more})
    part = engineer.get("/t/city-a/scenarios/town/glance").content.decode()
    assert "Changed since v1" in part
    assert "notes.txt" in part
    page = engineer.get("/t/city-a/scenarios/town").content.decode()
    assert "net-picture" in page  # kept by now
    assert "1 added" in page
    assert "M0 0L600 0" in engineer.get("/t/city-a/scenarios/town/network.svg?version=1").content.decode()
    ScenarioProfile.objects.update(content={"v": 1})  # of an earlier release: made anew
    assert "M0 0L600 0" in engineer.get("/t/city-a/scenarios/town/network.svg?version=1").content.decode()
    Scenario.objects.all().delete()
    assert not ScenarioProfile.objects.exists()


def test_a_period_without_an_end_says_where_it_begins(engineer: Client, town: Scenario) -> None:
    for end, shown in ((3600.0, "0:00\N{EN DASH}1:00"), (None, "from 0:00")):
        Scenario.objects.update(inspection={**town.inspection, "begin": 0.0, "end": end})
        for address in ("/t/city-a/scenarios", "/t/city-a/scenarios/town"):
            assert f">{shown}<" in engineer.get(address).content.decode()


def test_who_has_nothing_takes_the_sample(engineer: Client, tenant: Tenant) -> None:
    page = engineer.get("/t/city-a").content.decode()
    assert 'id="upload"' in page
    answer = engineer.post("/t/city-a/sample")
    assert answer["Location"] == "/t/city-a/submit?scenario_id=midtown_peak"
    assert Scenario.objects.get().inspection["net"]["edges"] == 412


def test_what_ended_last_is_first(engineer: Client, tenant: Tenant) -> None:
    now = timezone.now()
    for name, submitted, finished in (("long", 9, 1), ("short", 5, 4)):
        job = JobFactory(tenant=tenant, scenario__scenario_id=name, submitted_at=now - timedelta(hours=submitted))
        job.move_to("FAILED", reason="LOST", message="It is lost.", finished_at=now - timedelta(hours=finished))
    page = engineer.get("/t/city-a").content.decode()
    assert page.index(">long<") < page.index(">short<")


def test_all_that_is_wrong_with_an_upload_is_listed(engineer: Client) -> None:
    broken = _zip(archive(net="missing.net.xml"))
    page = engineer.post("/t/city-a/upload", {"scenario_id": "town", "file": broken})
    assert page.status_code == 422
    assert "missing.net.xml" in page.content.decode()
    answer = engineer.post("/t/city-a/upload", {"scenario_id": "a b"}, headers={"Accept": "application/json"})
    assert (answer.status_code, len(answer.json()["problems"])) == (422, 1)


def test_a_version_is_made_from_the_files_that_change(engineer: Client, town: Scenario) -> None:
    changes = SimpleUploadedFile("lane.zip", _packed("readme.txt", "a bus lane"), "application/zip")
    made = engineer.post("/t/city-a/upload", {"base": "town:1", "file": changes, "save_as": "lane"}, follow=True)
    assert "lane v1 is stored." in made.content.decode()
    again = engineer.post("/t/city-a/upload", {"base": "lane:1", "remove": "readme.txt", "save_as": "town"})
    assert again["Location"] == "/t/city-a/scenarios/town?version=2"
    for sent, told in (
        ({"remove": "nothing.xml"}, "no file &#x27;nothing.xml&#x27; to remove"),
        ({"remove": "demand.rou.xml"}, "demand.rou.xml"),
        ({}, "Give files that change, or paths that go."),
    ):
        page = engineer.post("/t/city-a/upload", {"base": "town:1", **sent})
        assert page.status_code == 422
        assert "No version was made of it" in page.content.decode()
        assert told in page.content.decode()
    for base in ("town:9", "town", "nowhere:1"):
        assert engineer.post("/t/city-a/upload", {"base": base, "remove": "x"}).status_code == 404
    assert Scenario.objects.count() == 3


def test_an_upload_needs_the_pages_token(engineer: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = engineer.cookies
    assert strict.post("/t/city-a/upload", {"file": _zip()}).status_code == 403
    assert not Scenario.objects.exists()


def test_a_run_is_checked_then_submitted_once(engineer: Client, town: Scenario) -> None:
    window = {"window_begin": "10", "window_end": "40.5", "edges_interval_s": "120"}
    asked = {
        **SUBMITTED,
        **window,
        "end": "60",
        "labels": "study: lane\nday = 1",
        "outputs": ["edgedata"],
        "edges": "on",
        "key": "k1",
    }
    page = engineer.post("/t/city-a/submit", {**asked, "check": "1"}).content.decode()
    assert "Fits your limits: 1 of 1 starts now" in page
    assert "Authorization: Bearer $KEY" in page
    assert not Job.objects.exists()
    for _ in range(2):
        answer = engineer.post("/t/city-a/submit", asked)
    job = Job.objects.get()
    assert answer["Location"] == f"/t/city-a/jobs/{job.pk}"
    assert job.labels == {"study": "lane", "day": "1"}
    assert (job.scenario_data["end"], job.scenario_data["outputs"]) == (60, ["edgedata", "edges"])
    assert {name: job.scenario_data[name] for name in window} == {name: float(text) for name, text in window.items()}


def test_a_check_tells_what_would_be_refused(engineer: Client, town: Scenario) -> None:
    answer = engineer.post("/t/city-a/submit", {**SUBMITTED, "memory_gi": "5000", "check": "1"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "this tenant may use at most 20 Gi" in page
    assert "Fits your limits" not in page


def test_several_runs_have_seeds_of_their_own(engineer: Client, town: Scenario, tenant: Tenant) -> None:
    several = {**SUBMITTED, "seed": "7", "runs": "3"}
    assert "2 of 3 start now" in engineer.post("/t/city-a/submit", {**several, "check": "1"}).content.decode()
    assert engineer.post("/t/city-a/submit", several)["Location"] == "/t/city-a/jobs"
    assert sorted(job.scenario_data["seed"] for job in Job.objects.all()) == [7, 8, 9]
    Tenant.objects.update(max_queued_jobs=2)
    page = engineer.post("/t/city-a/submit", several, follow=True).content.decode()
    assert "1 of 3 were submitted. The next: The queue is full" in page


@pytest.mark.parametrize(
    "wrong, told",
    [
        ({"runs": "2"}, "Give the first seed"),
        ({"begin": "500"}, "before or as it begins"),
        ({"memory_gi": "5000"}, "this tenant may use at most 20 Gi"),
        ({"scenario_id": "none"}, "Select a valid choice"),
        ({"window_begin": "50", "window_end": "40"}, "window_end"),
        ({"window_begin": "100000"}, "The window would begin at"),
        ({"edges_interval_s": "5", "edges": "on"}, "60"),
        ({"edges_interval_s": "300"}, "There is none without"),
        ({"labels": "no colon"}, "is not of the form"),
        ({"labels": "-bad: x"}, "Label names are"),
        ({"labels": f"long: {'x' * 101}"}, "<li>Must have at most 100 characters.</li>"),
        ({"scale": "1e999"}, "Enter a number"),
    ],
)
def test_what_is_wrong_with_a_run_is_told_beside_its_field(
    engineer: Client, town: Scenario, wrong: dict[str, str], told: str
) -> None:
    answer = engineer.post("/t/city-a/submit", {**SUBMITTED, **wrong})
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert not Job.objects.exists()


def test_a_job_is_cancelled_and_run_again_with_more_memory(engineer: Client, town: Scenario) -> None:
    engineer.post("/t/city-a/submit", SUBMITTED)
    job = Job.objects.get()
    engineer.post(f"/t/city-a/jobs/{job.pk}/cancel")
    job.refresh_from_db()
    assert job.cancel_requested_at
    job.move_to("FAILED", reason="OUT_OF_MEMORY", message="It needed more than 1 Gi.")
    page = engineer.get(f"/t/city-a/jobs/{job.pk}").content.decode()
    assert "Run again with 2 Gi" in page
    assert "You: the scenario or the request has to change." in page
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key
    for _ in range(2):
        engineer.post(f"/t/city-a/jobs/{job.pk}/again", {"more": "memory_gi", "key": key[1]})
    again = Job.objects.exclude(pk=job.pk).get()
    assert again.memory_gi == 2
    assert {**again.scenario_data, "memory_gi": 1} == job.scenario_data


def test_viewers_see_no_buttons(client_of: Who, tenant: Tenant) -> None:
    job = JobFactory(tenant=tenant)
    page = client_of("viewer").get(f"/t/city-a/jobs/{job.pk}").content.decode()
    assert "/cancel" not in page
    assert ">Submit<" not in page


def test_a_page_that_shows_it_already_gets_nothing(engineer: Client, tenant: Tenant, monkeypatch) -> None:
    moment = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: moment)
    job = JobFactory(tenant=tenant)
    for address in ("/t/city-a/now", f"/t/city-a/jobs/{job.pk}/now"):
        seen = re.search(r"seen=(\w+)", engineer.get(address).content.decode())
        assert seen
        assert engineer.get(f"{address}?seen={seen[1]}").status_code == 204
    Job.objects.update(message="Something else.")
    assert engineer.get(f"{address}?seen={seen[1]}").status_code == 200


@pytest.mark.parametrize("query", ["status=PENDING&label=study:lane", "scenario_id=none", "cursor=x", "status=ODD"])
def test_lists_are_filtered_and_odd_filters_told(engineer: Client, tenant: Tenant, query: str) -> None:
    JobFactory(tenant=tenant, labels={"study": "lane"})
    answer = engineer.get(f"/t/city-a/jobs?{query}")
    assert answer.status_code == (400 if query in ("cursor=x", "status=ODD") else 200)
    assert ("study: lane</a>" in answer.content.decode()) == (query != "scenario_id=none")


def test_pages_cost_the_same_however_many_jobs(
    engineer: Client, tenant: Tenant, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    job = JobFactory(tenant=tenant)
    for number in (1, 60):
        Job.objects.bulk_create(
            JobFactory.build(tenant=tenant, scenario=job.scenario, k8s_namespace="city-a") for _ in range(number)
        )
        for address, queries in (("", 15), ("/jobs", 6), (f"/jobs/{job.pk}/now", 8)):
            with django_assert_max_num_queries(queries):
                engineer.get(f"/t/city-a{address}")
