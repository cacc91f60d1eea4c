"""Every operation of the OpenAPI schema is in the client, or left out on purpose; names and defaults agree."""

import inspect
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from client import Client, Job, Scenario, Study, Webhook, api, jobs
from client.commands.jobs import STATUSES, run
from client.studies import ACTIVE, FILES, MORE_FILES
from client.text import KPIS, TIMES
from client.transport import Transport
from simulations.api.pagination import MAX_LIMIT
from simulations.models import Job as JobRow
from simulations.studies.models import Study as StudyRow
from simulations.sumo.protocol.kpis import KPIS as OF_THE_SERVICE

LEFT_OUT = {
    "GET /admin/activity": "operators use the dashboard",
    "GET /admin/attention": "operators use the dashboard",
    "GET /admin/cluster": "operators use the dashboard",
    "GET /admin/jobs": "operators use the dashboard",
    "GET /admin/usage": "operators use the admin and `manage.py statement`",
    "POST /token": "`client.tokens`, before there is a client",
    "GET /statements/{period}.html": "`Client.download_statement` to a name that ends so",
    "GET /studies/{study_id}/edges.csv": "`Study.download` takes its name",
    "GET /studies/{study_id}/edges.parquet": "`Study.download` takes its name",
    "GET /studies/{study_id}/runs.parquet": "`Study.download` takes its name",
}
ID = str(uuid.uuid4())


@pytest.fixture(scope="module")
def schema() -> Mapping[str, Any]:
    return SchemaGenerator().get_schema(public=True)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked of the service, as `METHOD /path`, by a client that is answered with what fits anything."""
    seen: list[str] = []
    answer = {
        "job_id": ID, "study_id": ID, "scenario_id": "s", "version": 1, "size_bytes": 0, "sha256": "", "config": "",
        "shared": True, "status": "COMPLETE", "message": "", "results": None, "jobs": [], "studies": [],
        "scenarios": [], "runs": [], "next": None, "events": [], "seeds": [], "data": "",
        "statements": [], "endpoints": [], "deliveries": [], "endpoint_id": ID, "url": "",
        "files": [{"name": "f", "size_bytes": 0, "sha256": "", "url": f"/jobs/{ID}/results/f"}],
    }  # fmt: skip

    def json_(self: Transport, method: str, path: str, **rest: Any) -> Any:
        seen.append(f"{method} {path.partition('?')[0]}")
        return dict(answer)

    def file(transport: Transport, path: str, to: Path, **rest: Any) -> Path:
        seen.append(f"GET {path.partition('?')[0]}")
        return to

    monkeypatch.setattr(Transport, "json", json_)
    monkeypatch.setattr(Transport, "sent", lambda self, method, path, *rest: json_(self, method, path))
    monkeypatch.setattr(api, "to_file", file)
    monkeypatch.setattr(jobs.downloads, "to_file", file)
    return seen


def everything(client: Client, tmp_path: Path) -> Iterator[Any]:
    """Each public method of the client and its objects, once."""
    archive = tmp_path / "s.zip"
    archive.write_bytes(b"")
    given: dict[str, Any] = {
        "scenario_id": "s", "source": archive, "to": tmp_path, "job_id": ID, "study_id": ID, "request": {},
        "path": "/jobs", "name": "jobs", "seeds_total": 5, "edge": "a", "period": "2026-11", "url": "",
        "endpoint_id": ID, "since": "",
    }  # fmt: skip
    data = client.get("/jobs")
    for thing in (client, Job(client, data), Scenario(client, data), Study(client, data), Webhook(client, data)):
        for name, method in inspect.getmembers(thing, inspect.ismethod):
            if name.startswith("_") or name in {"follow_log", "watch", "wait"}:  # of the same addresses
                continue
            needed = [
                each.name
                for each in inspect.signature(method).parameters.values()
                if each.default is each.empty and each.kind is each.POSITIONAL_OR_KEYWORD
            ]
            result = method(*(given[each] for each in needed))
            yield list(result) if inspect.isgenerator(result) else result


def test_every_operation_is_in_the_client(schema: Any, asked: list[str], tmp_path: Path) -> None:
    list(everything(Client("http://service", "k"), tmp_path))
    seen = {each.replace(ID, "{id}").replace("/scenarios/s", "/scenarios/{id}") for each in asked}
    known = {
        f"{method.upper()} {path}": f"{method.upper()} {path}"
        for path, methods in schema["paths"].items()
        for method in methods
    }
    for name in ("job_id", "study_id", "scenario_id", "endpoint_id"):
        known = {key: shape.replace(f"{{{name}}}", "{id}") for key, shape in known.items()}
    known = {key: shape.replace("{period}", "2026-11") for key, shape in known.items()}
    missing = {key for key, shape in known.items() if shape.replace("{name}", "f") not in seen}
    # A log is asked for by `log`; a stream of it is the same address.
    assert missing == LEFT_OUT.keys()
    assert seen <= {shape.replace("{name}", "f") for shape in known.values()}


def test_run_takes_every_field_of_a_job(schema: Any) -> None:
    body = schema["paths"]["/jobs"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    wanted = schema["components"]["schemas"][body["$ref"].rpartition("/")[2]]["properties"]
    options = {each.name for each in run.params}
    assert wanted.keys() - options == {"scenario_id", "sha256"}  # an argument; and for programs that know the bytes
    assert options - wanted.keys() == {"scenario", "follow", "as_json"}


def test_lists_take_every_filter(schema: Any) -> None:
    for path, method in (("/jobs", Client.jobs), ("/studies", Client.studies)):
        known = {each["name"] for each in schema["paths"][path]["get"]["parameters"] if each["in"] == "query"}
        assert known - {"limit", "cursor"} == inspect.signature(method).parameters.keys() - {"self"}
    assert api.PAGE == MAX_LIMIT


def test_words_and_figures_are_the_services() -> None:
    assert JobRow.Status.values == STATUSES
    assert {each for each in STATUSES if JobRow(status=each).is_finished} == jobs.FINISHED
    assert set(StudyRow.Status.values) > ACTIVE
    read = {name: each.reading for name, each in OF_THE_SERVICE.items()}
    assert {name: (each.label, read[name].unit, read[name].decimals) for name, each in OF_THE_SERVICE.items()} == KPIS
    assert {name: each.times for name, each in read.items() if each.times != 1} == TIMES


def test_a_studys_files(schema: Any) -> None:
    here = "/studies/{study_id}/"
    files = {path[len(here) :] for path in schema["paths"] if path.startswith(here) and "." in path}
    assert files == {*FILES, *MORE_FILES}
