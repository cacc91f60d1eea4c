"""A burst of what is computed for long takes neither threads nor database connections from the others."""

import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from urllib.error import HTTPError

import pytest
from django.utils import timezone

from simulations.studies.kpis import FIGURES
from simulations.studies.models import Study, StudyRun
from tests.clusterops.reconciler.test_studies import INSPECTION
from tests.conftest import client_with
from tests.factories import ScenarioFactory, TenantFactory, issue_key
from tests.simulations.served import web

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
CELLS, SEEDS = 50, 10
AT_ONCE = 60


def large_study(key: str) -> str:
    """Its runs have all ended, with a value for each figure."""
    variants = [{"name": f"v{number}", "options": {"time-to-teleport": 100 + number}} for number in range(CELLS)]
    wanted = {"base": {"scenario_id": "centre"}, "variants": variants, "seeds": {"first": 1, "count": SEEDS}}
    answer = client_with(key).post("/studies", wanted, format="json")
    assert answer.status_code == 201, answer.content
    study = Study.objects.get(pk=answer.json()["study_id"])
    runs = list(study.runs.select_related("cell"))
    for run in runs:
        run.status, run.finished_at = StudyRun.Status.SUCCEEDED, timezone.now()
        run.kpis = dict.fromkeys(FIGURES, 100 + run.seed * (run.cell.position % 7))
    StudyRun.objects.bulk_update(runs, ["status", "finished_at", "kpis"])
    return str(study.pk)


def test_summaries_asked_for_at_once_leave_the_others_their_connections() -> None:
    busy, other = TenantFactory(tenant_id="city-a"), TenantFactory(tenant_id="city-b")
    ScenarioFactory(tenant=busy, scenario_id="centre", inspection=INSPECTION)
    key, other_key = issue_key(busy), issue_key(other)
    study = large_study(key)

    with web() as served:

        def ask(path: str, key: str) -> tuple[int, str]:
            asked = urllib.request.Request(served.url + path, headers={"Authorization": f"Bearer {key}"})
            try:
                with urllib.request.urlopen(asked, timeout=120) as answer:
                    answer.read()
                    return 200, ""
            except HTTPError as error:
                return error.code, json.load(error)["error"]["code"]

        with ThreadPoolExecutor(AT_ONCE) as threads:
            # each with a confidence of its own: nothing is kept
            paths = [f"/studies/{study}/summary?confidence={0.6 + number / 1000}" for number in range(AT_ONCE)]
            asked = [threads.submit(ask, path, key) for path in paths]
            others = []
            while not all(each.done() for each in asked):
                others.append(ask("/jobs", other_key))
        assert {each.result() for each in asked} <= {(200, ""), (503, "answers.too_many")}
        assert set(others) == {(200, "")}
