"""The list, one study, what is done with it, and its files."""

from typing import Any

import pytest
from django.test import Client

from simulations.studies.models import Study
from tests.simulations.portal.conftest import Who
from tests.simulations.portal.studies.conftest import Ended
from tests.simulations.studies.conftest import passes

HERE = "/t/city-a/studies"


@pytest.fixture
def done(ended: Ended) -> Study:
    return ended(failed=3, seeds={"first": 1, "count": 6}, sweep={"scale": [1.0, 1.05]}, max_failed_share=1)


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def test_the_answer_comes_first(client_of: Who, done: Study) -> None:
    page = text_of(client_of("viewer"), f"{HERE}/{done.pk}")
    for told in (
        "2 of 3 comparisons show a difference that matters (worse); 1 is too small to matter.",
        "mean travel time, lane",
        "OUT_OF_MEMORY",
        "every run",
        "24 <span",
        "4</dd>",
        "runs.csv",
    ):
        assert told.lower() in page.lower(), told
    assert "<form" not in page.split("<main")[1]
    assert "Runs for ± 5 % of the mean" in text_of(client_of("engineer"), f"{HERE}/{done.pk}")
    Study.objects.update(
        request=done.request | {"precision": {"kpi": "mean_travel_time_s", "relative": None, "absolute": 2.5}}
    )
    report = text_of(client_of("owner"), f"{HERE}/{done.pk}/files/report.html")
    assert "runs for ± 2.5 s" in report


def test_pages_cost_the_same_at_any_size(client_of: Who, done: Study, statements: list[str]) -> None:
    client = client_of("engineer")
    for address, most in ((f"{HERE}/{done.pk}", 12), (f"{HERE}/{done.pk}/compare", 9), (f"{HERE}/{done.pk}/curves", 8)):
        statements.clear()
        assert client.get(address).status_code == 200
        assert len(statements) <= most, statements


def test_a_study_that_has_just_begun(client_of: Who, submit: Any) -> None:
    study = submit()
    client = client_of("engineer")
    assert "No verdict yet: 0 of 6 runs have ended." in text_of(client, f"{HERE}/{study.pk}")
    comparison = text_of(client, f"{HERE}/{study.pk}/compare")
    assert "No verdict yet" in comparison
    assert "There is nothing to compare yet." in comparison
    assert "Does it matter?" not in comparison
    assert "0 of 6" in text_of(client, HERE)


def test_nothing_changed_costs_next_to_nothing(client_of: Who, submit: Any) -> None:
    study = submit()
    client = client_of("viewer")
    now = f"{HERE}/{study.pk}/now"
    seen = client.get(now).context["mark"]
    again = client.get(now, {"seen": seen})
    assert (again.status_code, again.content) == (204, b"")
    passes()
    assert client.get(now, {"seen": seen}).status_code == 200


def test_acts_are_those_of_the_service(client_of: Who, submit: Any, cluster: Any) -> None:
    study, client = submit(), client_of("engineer")

    def act(name: str, **sent: Any) -> str:
        answer = client.post(f"{HERE}/{study.pk}/{name}", sent, follow=True)
        assert answer.redirect_chain
        study.refresh_from_db()
        return answer.content.decode()

    act("pause")
    assert study.status == "PAUSED"
    act("resume")
    assert study.status == "RUNNING"
    assert "3 seeds were added" in act("extend", seeds_total=6)
    assert "whole number" in act("extend", seeds_total="six")
    cluster.run(lambda job: "KILLED")
    assert study.refresh_from_db() or study.status == "INCOMPLETE"
    assert "12 runs are run again" in act("retry")
    assert "Cancelled" in act("cancel")
    assert "cannot be paused" in act("pause")
    assert client.post(f"{HERE}/{study.pk}/explode").status_code == 404


def test_files_are_those_of_the_api(client_of: Who, api: Any, done: Study) -> None:
    def read(answer: Any) -> bytes:
        return b"".join(answer.streaming_content) if answer.streaming else answer.content

    viewer = client_of("viewer")
    for name in ("runs.csv", "summary.csv", "comparisons.csv", "report.html", "archive.zip"):
        page, rest = viewer.get(f"{HERE}/{done.pk}/files/{name}"), api.get(f"/studies/{done.pk}/{name}")
        assert page["Content-Type"] == rest["Content-Type"]
        told = [read(answer) for answer in (page, rest)]
        assert told[0] == told[1] or not name.endswith(".csv"), name
    assert viewer.get(f"{HERE}/{done.pk}/files/secrets.txt").status_code == 404


def test_the_list_goes_on(client_of: Who, submit: Any, monkeypatch: pytest.MonkeyPatch, statements: list[str]) -> None:
    monkeypatch.setattr("simulations.portal.studies.pages.LISTED", 2)
    for name in ("first", "second", "third"):
        submit(name=name)
    client = client_of("viewer")
    statements.clear()
    page = client.get(HERE)
    assert len(statements) <= 5  # session, user, member, studies, counts
    assert [name in page.content.decode() for name in ("first", "second", "third")] == [False, True, True]
    older = text_of(client, page.context["older"])
    assert ">first<" in older
    assert text_of(client, f"{HERE}?cursor=nonsense")
    assert "No study yet" in text_of(client_of("other"), "/t/city-b/studies")
