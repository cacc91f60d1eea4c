"""What is computed for long has few places of one tenant, so that others find threads and connections."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from simulations import held
from simulations.portal import live
from simulations.portal.models import SharedComparison
from simulations.studies.models import Study
from tests.factories import JobFactory
from tests.simulations.edges.conftest import keep
from tests.simulations.portal.conftest import Who
from tests.simulations.portal.studies.conftest import Ended

ANSWERS = ("summary", "summary.csv", "comparisons.csv", "report.html", "archive.zip")
PAGES = ("", "/now", "/compare", "/curves", "/files/report.html", "/files/summary.csv", "/files/archive.zip")
NUMBERS = ("simulated", "numbers")


@pytest.fixture
def study(ended: Ended) -> Study:
    return ended()


@pytest.fixture
def no_place_left(study: Study, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.LOG_FOLLOWERS = 2
    monkeypatch.setattr(held, "MAKERS", 2)
    held.places.take(study.tenant_id)
    held.makers.take(study.tenant_id)
    yield
    held.makers.leave(study.tenant_id)
    held.places.leave(study.tenant_id)


def told(answer: Any) -> str:
    assert answer.status_code == 503, answer.content
    return str(answer.content.decode())


@pytest.mark.usefixtures("no_place_left")
@pytest.mark.parametrize("name", ANSWERS)
def test_answers_of_the_api(api: APIClient, study: Study, name: str) -> None:
    answer = api.get(f"/studies/{study.pk}/{name}")
    assert "answers.too_many" in told(answer)
    assert answer["Retry-After"] == "5"
    assert api.get(f"/studies/{study.pk}").status_code == 200


@pytest.mark.usefixtures("no_place_left")
@pytest.mark.parametrize("name", PAGES)
def test_pages(client_of: Who, study: Study, name: str) -> None:
    viewer = client_of("viewer")
    assert "Too many large answers" in told(viewer.get(f"/t/city-a/studies/{study.pk}{name}"))
    assert viewer.get("/t/city-a/studies").status_code == 200


@pytest.mark.usefixtures("no_place_left")
def test_jobs_compared(client_of: Who) -> None:
    assert "Too many large answers" in told(client_of("viewer").get("/t/city-a/compare"))


@pytest.mark.usefixtures("no_place_left")
@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_of_a_run(client_of: Who, study: Study, name: str) -> None:
    job = JobFactory(tenant=study.tenant)
    keep(job, "summary.csv.gz", b"")
    assert "Too many large answers" in told(client_of("viewer").get(f"/t/city-a/jobs/{job.pk}/{name}"))


@pytest.mark.usefixtures("no_place_left")
def test_a_link_is_made_only_if_it_can_be_shown(client_of: Who, study: Study) -> None:
    told(client_of("engineer").post(f"/t/city-a/studies/{study.pk}/shares", {"days": "7"}))
    assert not SharedComparison.objects.exists()


def test_a_guest_with_a_link(study: Study, client_of: Who, request: pytest.FixtureRequest) -> None:
    made = SharedComparison.objects.share(study, days=7, user_id=client_of("engineer").session["_auth_user_id"])
    assert made
    request.getfixturevalue("no_place_left")
    assert "Too many large answers" in told(Client().get("/shared", {"key": made[1]}))


def test_a_page_that_shows_all_already_needs_no_place(
    client_of: Who, submit: Callable[..., Study], request: pytest.FixtureRequest
) -> None:
    viewer = client_of("viewer")
    address = f"/t/city-a/studies/{submit().pk}/now"
    mark = viewer.get(address).context["mark"]
    request.getfixturevalue("no_place_left")
    assert viewer.get(address, {"seen": mark}).status_code == live.UNCHANGED
