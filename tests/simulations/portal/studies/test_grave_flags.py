"""A study whose figures are to be read with grave care is green on none of its pages, and each says why."""

from typing import Any

import pytest
from django.test import Client

from simulations.studies.models import Study
from tests.simulations.portal.conftest import Who
from tests.simulations.portal.studies.conftest import Ended


def with_teleports(study: Study, count: int) -> Study:
    for run in study.runs.all():
        run.kpis = {**(run.kpis or {}), "teleports": count}
        run.save(update_fields=["kpis"])
    return study


@pytest.mark.parametrize(("teleports", "kind"), [(0, "ok"), (300, "warn")])
def test_each_page_has_the_colour_and_the_reason(client_of: Who, ended: Ended, teleports: int, kind: str) -> None:
    study, engineer = with_teleports(ended(), teleports), client_of("engineer")
    here = f"/t/city-a/studies/{study.pk}"
    link = engineer.post(f"{here}/shares", {"days": "7"}).context["link"]
    pages: list[Any] = [engineer.get(here), engineer.get(f"{here}/compare"), Client().get(link)]
    for page in pages:
        text = page.content.decode()
        assert f'class="verdict {kind}"' in text
        assert ("30.0 % of vehicles were teleported." in text) is (kind == "warn")
        assert f'sk-badge--{kind}">Complete' in text
    report = engineer.get(f"{here}/files/report.html").content.decode()
    assert ('<span class="red">grave</span>' in report) is (kind == "warn")
