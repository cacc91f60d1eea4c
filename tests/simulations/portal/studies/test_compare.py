"""Comparisons: of a study, of picked jobs, and through a link."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from simulations.models import Job
from simulations.portal.models import SharedComparison
from simulations.studies.models import Study
from tenants.models import Tenant
from tests.factories import JobFactory
from tests.simulations.portal.conftest import Who
from tests.simulations.portal.studies.conftest import Ended


@pytest.fixture
def done(ended: Ended) -> Study:
    return ended(seeds={"first": 1, "count": 6}, sweep={"scale": [1.0, 1.05, 1.1]})


def address(study: Study) -> str:
    return f"/t/city-a/studies/{study.pk}/compare"


def test_all_that_is_said(client_of: Who, done: Study) -> None:
    page = client_of("viewer").get(address(done))
    text = page.content.decode()
    for told in ("Does it matter?", "What would change the verdict", "Seed by seed", "Mean travel time over scale"):
        assert told in text, told
    assert len(page.context["slopes"]) == 5
    assert [row[0] for row in page.context["sweep"].rows] == ["1", "1.05", "1.1"]
    assert "Share this page" not in text


def test_another_figure_and_another_base(client_of: Who, done: Study) -> None:
    page = client_of("viewer").get(address(done), {"kpi": "mean_time_loss_s", "base": "lane, scale=1"})
    assert page.context["figure"].name == "mean_time_loss_s"
    assert {each.base for each, _, _ in page.context["outlooks"]} == {"lane, scale=1"}
    assert "good for looking, not for deciding" in page.content.decode()
    odd = client_of("owner").get(address(done), {"kpi": "nothing", "base": "no such"})
    assert odd.context["figure"].name == "mean_travel_time_s"


def test_a_link_shows_the_comparison_and_nothing_else(client_of: Who, done: Study) -> None:
    engineer = client_of("engineer")
    made = engineer.post(f"/t/city-a/studies/{done.pk}/shares", {"days": "7"})
    parts = urlsplit(made.context["link"])
    guest, link = Client(), f"{parts.path}?{parts.query}"
    page = guest.get(link)
    text = page.content.decode()
    assert "Does it matter?" in text
    assert "/t/city-a" not in text
    assert page["Referrer-Policy"] == "no-referrer"
    assert guest.get(f"{link}&kpi=mean_time_loss_s").context["figure"].name == "mean_time_loss_s"
    row = SharedComparison.objects.get()
    assert row.digest not in link
    assert (row.expires_at - timezone.now()).days == 6
    engineer.post(f"/t/city-a/studies/{done.pk}/shares/{row.pk}/end")
    assert guest.get(link).status_code == 404


def test_a_link_that_is_not_open(done: Study, tenant: Tenant, django_user_model: Any) -> None:
    user = django_user_model.objects.create_user("eve")
    _, key = SharedComparison.objects.share(done, days=7, user_id=user.pk)

    def status(key: str = key) -> int:
        return Client().get("/shared", {"key": key}).status_code

    assert (status(), status(key + "x"), status("")) == (200, 404, 404)
    Tenant.objects.update(is_active=False)
    assert status() == 404
    Tenant.objects.update(is_active=True)
    SharedComparison.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert status() == 404
    SharedComparison.objects.share(done, days=7, user_id=user.pk)
    assert SharedComparison.objects.count() == 1  # the ended one has gone


def test_links_are_bounded_and_guessing_is_slow(
    client_of: Who, done: Study, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    engineer = client_of("engineer")
    assert engineer.post(f"/t/city-a/studies/{done.pk}/shares", {"days": "1000"}).status_code == 409
    monkeypatch.setattr("simulations.portal.models.MOST_OPEN", 1)
    assert engineer.post(f"/t/city-a/studies/{done.pk}/shares", {"days": "7"}).status_code == 200
    assert engineer.post(f"/t/city-a/studies/{done.pk}/shares", {"days": "7"}).status_code == 409
    assert client_of("viewer").post(f"/t/city-a/studies/{done.pk}/shares", {"days": "7"}).status_code == 403
    settings.RATE_LIMIT_FAILED_KEYS_PER_MINUTE = 2
    assert [Client().get("/shared?key=x").status_code for _ in range(3)] == [404, 404, 429]


@pytest.fixture
def jobs(tenant: Tenant) -> list[Job]:
    found = []
    for version in (1, 2):
        for seed in (1, 2, 3):
            job = JobFactory(tenant=tenant, status="SUCCEEDED", finished_at=timezone.now(), results={
                "kpis": {"mean_time_loss_s": 50.0 + seed + version, "mean_speed_ms": 9.0}, "sumo_version": "1.28.0",
            })  # fmt: skip
            job.scenario_data |= {
                "scenario_id": "town",
                "scenario_version": version,
                "seed": seed,
            }
            job.labels = {"plan": f"p{version}"}
            job.save()
            found.append(job)
    return found


def test_picked_jobs_by_version_and_label(client_of: Who, jobs: list[Job]) -> None:
    client, ids = client_of("viewer"), ",".join(str(job.pk) for job in jobs)
    page = client.get("/t/city-a/compare", {"jobs": ids})
    assert [cell.name for cell in page.context["answer"].cells] == ["town v1", "town v2"]
    assert "+1.0 s" in page.content.decode()
    labelled = client.get("/t/city-a/compare", {"jobs": ids, "by": "label:plan", "kpi": "mean_speed_ms"})
    assert [cell.name for cell in labelled.context["answer"].cells] == ["p1", "p2"]
    assert labelled.context["figure"].name == "mean_speed_ms"


def test_jobs_that_are_alike(client_of: Who, jobs: list[Job]) -> None:
    client = client_of("viewer")
    page = client.get("/t/city-a/compare", {"scenario_id": "town", "by": "label:plan"})
    assert [len(cell.runs) for cell in page.context["answer"].cells] == [3, 3]
    assert client.get("/t/city-a/compare", {"label": "plan:p1"}).context["count"] == 3
    assert client.get("/t/city-a/compare", {"label": "nonsense"}).context["count"] == 0
    link = client.get("/t/city-a/jobs", {"label": "plan: p1", "status": "SUCCEEDED"}).content.decode()
    assert "/t/city-a/compare?label=plan%3Ap1" in link


def test_picked_jobs_that_do_not_fit(client_of: Who, jobs: list[Job], other_tenant: Tenant) -> None:
    twin = JobFactory(tenant=jobs[0].tenant, status="FAILED", finished_at=timezone.now(), reason="KILLED")
    twin.scenario_data |= jobs[0].scenario_data
    twin.save()
    waits, foreign = JobFactory(tenant=jobs[0].tenant), JobFactory(tenant=other_tenant)
    page = client_of("viewer").get(
        "/t/city-a/compare", {"jobs": [jobs[0].pk, jobs[3].pk, twin.pk, waits.pk, foreign.pk, "nonsense"]}
    )
    notes = " ".join(page.context["notes"])
    assert page.context["count"] == 4
    for told in ("1 have not ended", "1 ran a seed", "1 are not there"):
        assert told in notes
    assert "Nothing to compare yet" in client_of("owner").get("/t/city-a/compare").content.decode()


@pytest.mark.parametrize(("count", "weak"), [(6, False), (3, True)])
def test_few_seeds_are_said_of_wherever_the_verdict_goes(client_of: Who, ended: Ended, count: int, weak: bool) -> None:
    engineer, study = client_of("engineer"), ended(seeds={"first": 1, "count": count})
    link = engineer.post(f"/t/city-a/studies/{study.pk}/shares", {"days": "7"}).context["link"]
    pages = [engineer.get(f"/t/city-a/studies/{study.pk}"), engineer.get(address(study)), Client().get(link)]
    assert {"Weak evidence: fewer than 5 seeds." in page.context["headline"] for page in pages} == {weak}
