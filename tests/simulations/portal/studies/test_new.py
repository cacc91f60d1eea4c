"""A new study from the form: checked, all problems at once, submitted once."""

import json
import shlex
from typing import Any

import pytest
from django.http import QueryDict

from simulations.models import Scenario
from simulations.portal.studies.request_form import StudyForm
from simulations.studies.models import Study
from tests.simulations.portal.conftest import Who

NEW = "/t/city-a/studies/new"
SENT: dict[str, Any] = {
    "name": "bus lane", "scenario_id": "town", "end": "100", "first": "1", "count": "3", "scales": "0.95, 1; 1.05",
    "variant_name": ["today", "lane"], "variant_scenario": ["", "town"], "variant_scale": ["", ""],
    "variant_version": ["", "1"], "window_begin": "20", "window_end": "90", "window_interval": "60",
    "variant_options": ["", "--time-to-teleport=120, ignore-route-errors=true"],
    "kpis": ["mean_time_loss_s", "mean_speed_ms"], "matters": "2.5", "precision": "5",
    "precision_kpi": "mean_time_loss_s", "max_seeds": "20", "key": "once",
}  # fmt: skip
BODY = {
    "name": "bus lane",
    "base": {"scenario_id": "town", "end": 100},
    "variants": [
        {"name": "today"},
        {
            "name": "lane",
            "scenario_id": "town",
            "scenario_version": 1,
            "options": {"time-to-teleport": 120, "ignore-route-errors": True},
        },
    ],
    "sweep": {"scale": [0.95, 1, 1.05]},
    "seeds": {"first": 1, "count": 3},
    "primary_kpis": ["mean_time_loss_s", "mean_speed_ms"],
    "relevant_difference": 0.025,
    "window": {"begin": 20, "end": 90, "interval": 60},
    "precision": {"kpi": "mean_time_loss_s", "relative": 0.05, "max_seeds": 20},
}


def test_the_form_makes_the_request() -> None:
    sent = QueryDict(mutable=True)
    for name, value in SENT.items():
        sent.setlist(name, value if isinstance(value, list) else [value])
    assert StudyForm(sent).body() == BODY


def test_checked_then_submitted_once(client_of: Who, town: Scenario) -> None:
    client = client_of("engineer")
    assert "choose one" in client.get(NEW).content.decode()
    checked = client.post(NEW, SENT | {"do": "check"})
    assert checked.status_code == 200
    assert checked.context["plan"]["runs_total"] == 18
    assert json.loads(shlex.split(checked.context["curl"])[-1]) == BODY
    assert not Study.objects.exists()
    for _ in range(2):
        answer = client.post(NEW, SENT | {"do": "submit"})
        assert answer["Location"] == f"/t/city-a/studies/{Study.objects.get().pk}"
    assert Study.objects.get().idempotency_key == "page-once"  # no key of a program is the same


@pytest.mark.parametrize(
    "changes, where",
    [
        ({"count": "many", "matters": "", "end": "soon"}, {"seeds"}),
        ({"end": "soon", "variant_options": ["", "no-such=1"]}, {"end", "options.no-such"}),
        ({"scenario_id": "nowhere", "variant_scenario": ["", ""]}, {"scenario_id"}),
        ({"variant_name": ["same", "same"]}, {"variants[1].name"}),
        ({"matters": "9" * 400, "precision": "nan"}, {"relevant_difference", "precision.relative"}),
        ({"window_end": "10"}, {"window.end"}),
        ({"window_begin": "150", "window_end": "190"}, {"window_begin"}),
        ({"variant_version": ["", "9"]}, {"scenario_id"}),
        ({"variant_scale": ["inf", "nan"]}, {"variants[0].scale", "variants[1].scale"}),
    ],
)
def test_all_problems_at_once(client_of: Who, town: Scenario, changes: dict[str, Any], where: set[str]) -> None:
    answer = client_of("engineer").post(NEW, SENT | changes | {"do": "submit"})
    assert answer.status_code == 422
    assert where <= {each["where"] for each in answer.context["problems"]}
    assert "bus lane" in answer.content.decode()  # nothing typed is lost
    assert not Study.objects.exists()


def test_more_rows(client_of: Who, town: Scenario) -> None:
    answer = client_of("engineer").post(NEW, SENT | {"do": "more"})
    assert len(answer.context["form"].variants) == 6


def test_viewers_may_not(client_of: Who, town: Scenario) -> None:
    assert client_of("viewer").post(NEW, SENT | {"do": "submit"}).status_code == 403


def test_what_is_wrong_stands_beside_its_field(client_of: Who, town: Scenario) -> None:
    """In one round, though the checks of a study have two, and by the names that the form has."""
    changes: dict[str, Any] = {
        "count": "many", "matters": "900", "end": "soon", "variant_scale": ["", "inf"], "window_end": "10",
        "variant_options": ["", "no-such=1"], "scales": "", "kpis": ["none"],
    }  # fmt: skip
    answer = client_of("engineer").post(NEW, SENT | changes | {"do": "check"})
    wrong = answer.context["wrong"]
    assert wrong.keys() == {"count", "matters", "kpis", "window_end", "end", "scale-2", "options-2"}
    assert answer.context["rest"] == []
    assert wrong["matters"] == ["Must be more than 0 and at most 100 per cent."]
    page = answer.content.decode()
    assert "relevant_difference" not in page
    assert 'id="scale-2" aria-invalid="true"' in page
    late = client_of("owner").post(NEW, SENT | {"variant_version": ["", "9"], "do": "check"}).context["wrong"]
    assert late.keys() == {"scenario-2"}  # which has no such version
