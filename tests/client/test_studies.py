"""Studies from the command line and from Python; the examples of the client's README."""

import gzip
import json
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from client import ApiProblem, Client, edges_frame, trips_frame
from client.commands.studies import _is_worse
from client.frames import edges, trips
from simulations.models import Job, Scenario
from tests.client.test_commands import end, store
from tests.simulations.scenarios import upload
from tests.simulations.studies.conftest import Cluster, body, cluster

database = pytest.mark.django_db(transaction=True)
Run = Callable[..., Result]
__all__ = ["body", "cluster"]


@database
def test_a_studys_whole_life(sumok8: Run, body: dict[str, Any], cluster: Cluster) -> None:
    Path("study.json").write_text(json.dumps(body))
    assert "6 runs in 2 cells; compared with today." in sumok8("study", "submit", "study.json", "--dry-run").stdout
    study = sumok8("study", "study.json").stdout.strip()
    assert json.loads(sumok8("study", "ls", "--json").stdout)[0]["study_id"] == study
    assert "PAUSED" in sumok8("study", "pause", study).stdout
    assert "RUNNING" in sumok8("study", "resume", study).stdout
    cluster.run()
    watched = sumok8("study", "watch", study)
    assert watched.exit_code == 0
    assert "mean travel time, lane against today: +" in watched.stdout
    worse = sumok8("study", "compare", study, "--fail-if", "worse")
    assert (worse.exit_code, "1 of the primary figures" in worse.stderr) == (1, True)
    assert "4 of" not in sumok8("study", "extend", study, "--seeds-total", 4).stdout
    cluster.run()
    assert "8 of 8 runs succeeded" in sumok8("study", "show", study).stdout
    assert sumok8("study", "results", study, "--as", "out", "--file", "runs.csv").exit_code == 0
    assert Path("out/runs.csv").read_text().startswith("study_id,cell,")
    assert json.loads(sumok8("open", study, "--json").stdout)["url"].endswith("report.html")


@database
def test_a_study_without_a_verdict_fails(sumok8: Run, body: dict[str, Any], cluster: Cluster) -> None:
    Path("study.json").write_text(json.dumps(body))
    study = sumok8("study", "submit", "study.json").stdout.strip()
    cluster.run(lambda job: "SUMO_FAILED")
    assert sumok8("study", "watch", study).exit_code == 1
    assert "SUMO_FAILED, 3 times in" in sumok8("study", "show", study).stdout


@database
def test_refusals_are_sentences(sumok8: Run) -> None:
    Path("study.json").write_text("{")
    Path("study.yaml").write_text("base: [")
    for name in ("study.json", "study.yaml"):
        refused = sumok8("study", "submit", name)
        assert (refused.exit_code, "cannot be read as" in refused.stderr) == (2, True)
    Path("study.yaml").write_text("base: {scenario_id: nowhere}")
    assert "There is no scenario “nowhere”" in sumok8("study", "submit", "study.yaml").stderr


@pytest.fixture
def town(api: Any) -> Scenario:
    """The uploaded scenario, not this room's folder."""
    assert upload(api).status_code == 201
    return Scenario.objects.get()


EDGES = b'<meandata><interval begin="0.00" end="9.00"><edge id="a" speed="9.5"/></interval></meandata>'
TRIPS = b"""<tripinfos><tripinfo id="7" depart="1.00" duration="60.50" vType="car"><emissions CO2_abs="3"/></tripinfo>
<tripinfo id="8" depart="2.00" duration="61.00" vType="car"/></tripinfos>"""


@database
def test_results_as_rows(service: Client, town: Scenario, api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    api.post("/jobs", {"scenario_id": "town"}, format="json")
    row = Job.objects.get()
    end(row)
    store(row, "tripinfo.xml.gz", gzip.compress(TRIPS))
    store(row, "edgedata.xml.gz", gzip.compress(EDGES))
    job = service.job(str(row.pk))
    first = {"id": "7", "depart": 1.0, "duration": 60.5, "vType": "car", "emissions.CO2_abs": 3.0}
    assert next(trips(job)) == first
    assert list(edges(job)) == [{"id": "a", "speed": 9.5}]
    if find_spec("pandas"):
        assert list(edges_frame(job).columns) == ["id", "speed"]
        assert trips_frame(job)["duration"].mean() == 60.75
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ApiProblem, match="Frames need pandas"):
        trips_frame(job)


@pytest.mark.parametrize(
    ("told", "fails"),
    [
        ({"p": 0.001, "relative": 0.2, "relevance": "relevant"}, True),
        ({"p": 0.001, "relative": 0.01, "relevance": "negligible"}, False),
        ({"p": None, "relative": 0.2, "relevance": None}, True),  # each seed by the same
        ({"p": None, "relative": 0.01, "relevance": None}, False),
        ({"p": None, "relative": None, "relevance": None}, True),  # from 0 teleports to some in each seed
        ({"p": 0.001, "relative": None, "relevance": None}, True),
        ({"p": 0.001, "relative": None, "relevance": None, "direction": "unclear"}, False),
        ({"p": 0.001, "relative": 0.2, "relevance": "relevant", "primary": False}, False),
    ],
)
def test_what_fails_a_pull_request(told: dict[str, Any], fails: bool) -> None:
    assert _is_worse({"primary": True, "direction": "worse"} | told, 0.05) is fails
