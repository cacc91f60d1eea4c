"""`Client`: each address of the tenant API as a method."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .downloads import Report, to_file
from .errors import ApiProblem
from .jobs import Job
from .scenarios import Scenario, laid_over, uploaded
from .studies import Study
from .transport import Key, Transport
from .webhooks import Webhook

PAGE = 200  # rows asked for at a time; the service's most


class Client:
    """Speaks to the service at `url` with one tenant's API key, or with what gives one; `connect` finds both.

    Every method raises ApiProblem with a sentence for people. A service that is away or restarts is asked again for
    `patience_s` seconds; what creates something is sent with an Idempotency-Key, so that it happens once.
    """

    def __init__(self, url: str, key: Key, *, patience_s: float = 60.0) -> None:
        self.transport = Transport(url, key, patience_s=patience_s)
        self.url = self.transport.base_url

    # Scenarios

    def upload(
        self,
        scenario_id: str,
        source: str | Path,
        *,
        config: str | None = None,
        report: Report | None = None,
    ) -> Scenario:
        """Upload a zip, or a folder's configuration with what it needs. The same content again changes nothing.

        `config` is the path of the .sumocfg inside, if there are several; `report` is told bytes sent and in all.
        """
        return Scenario(self, uploaded(self.transport, scenario_id, Path(source), config=config, report=report))

    def lay_over(
        self,
        scenario_id: str,
        source: str | Path | None,
        *,
        base_version: int | None = None,
        remove: Sequence[str] = (),
        save_as: str | None = None,
        config: str | None = None,
        report: Report | None = None,
    ) -> Scenario:
        """A version from a stored one, of which only what differs is sent: a zip or folder, each file at its path.

        The paths in `remove` go. The same content again is the version that there is.
        """
        given = {"base_version": base_version, "remove": "\n".join(remove), "save_as": save_as, "config": config}
        fields = {name: str(value) for name, value in given.items() if value}
        changes = None if source is None else Path(source)
        return Scenario(self, laid_over(self.transport, scenario_id, changes, fields, report))

    def check(self, source: str | Path, *, config: str | None = None, report: Report | None = None) -> dict[str, Any]:
        """What an upload would find, without keeping anything. Raises ApiProblem with all that is wrong."""
        told: dict[str, Any] = uploaded(
            self.transport, "check", Path(source), config=config, report=report, dry_run=True
        )
        return told

    def scenario(self, scenario_id: str, version: int | None = None) -> Scenario:
        return Scenario(self, self.get(f"/scenarios/{quote(scenario_id)}", version=version))

    def scenarios(self) -> Iterator[Scenario]:
        """The newest version of each, page after page."""
        return (Scenario(self, row) for row in self.rows("/scenarios", "scenarios"))

    def delete_scenario(self, scenario_id: str, version: int | None = None) -> None:
        """One version, or all."""
        self.transport.json("DELETE", f"/scenarios/{quote(scenario_id)}", query={"version": version})

    def download_scenario(self, scenario_id: str, to: str | Path, version: int | None = None) -> Path:
        """The zip as uploaded, checked by its SHA-256."""
        row = self.scenario(scenario_id, version).data
        path = f"/scenarios/{quote(scenario_id)}/archive?version={row['version']}"
        return to_file(self.transport, path, Path(to), size=row["size_bytes"], sha256=row["sha256"])

    # Jobs

    def run(self, scenario_id: str, *, idempotency_key: str | None = None, **fields: Any) -> Job:
        """Submit a job; `fields` are those of POST /jobs: seed, end, scale, options, outputs, labels, …"""
        body = {"scenario_id": scenario_id, **fields}
        return Job(self, self.post("/jobs", body, idempotency_key=idempotency_key or uuid.uuid4().hex))

    def job(self, job_id: str) -> Job:
        return Job(self, self.get(f"/jobs/{quote(str(job_id), safe='')}"))

    def jobs(
        self,
        *,
        status: Sequence[str] = (),
        scenario_id: str | None = None,
        label: Sequence[str] = (),
        submitted_since: str | None = None,
        submitted_until: str | None = None,
    ) -> Iterator[Job]:
        """The newest first, page after page. `label` as name:value; times in ISO 8601."""
        asked = {
            "status": list(status),
            "scenario_id": scenario_id,
            "label": list(label),
            "submitted_since": submitted_since,
            "submitted_until": submitted_until,
        }
        return (Job(self, row) for row in self.rows("/jobs", "jobs", **asked))

    # Studies

    def submit_study(self, request: Mapping[str, Any], *, idempotency_key: str | None = None) -> Study:
        """Submit many runs in one request; see docs/studies.md of the service."""
        told = self.post("/studies", request, idempotency_key=idempotency_key or uuid.uuid4().hex)
        return self.study(told["study_id"])

    def plan_study(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """What such a study would be: its cells, runs and an estimate; nothing is written."""
        told: dict[str, Any] = self.transport.json("POST", "/studies", query={"dry_run": 1}, body=request)
        return told

    def study(self, study_id: str) -> Study:
        return Study(self, self.get(f"/studies/{quote(str(study_id), safe='')}"))

    def studies(self, *, status: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
        """Rows, the newest first, page after page; `study` tells more of one."""
        return self.rows("/studies", "studies", status=list(status))

    # Who is told

    def add_webhook(self, url: str, events: Sequence[str] = ()) -> Webhook:
        """Be told at `url`; without `events`, of everything. Its `data` has the secret, only now."""
        return Webhook(self, self.post("/webhooks", {"url": url, "events": list(events)}))

    def webhook(self, endpoint_id: str) -> Webhook:
        return Webhook(self, self.get(f"/webhooks/{quote(str(endpoint_id), safe='')}"))

    def webhooks(self) -> list[Webhook]:
        return [Webhook(self, row) for row in self.get("/webhooks")["endpoints"]]

    # Anything else

    def dashboard(self) -> dict[str, Any]:
        """The tenant's limits, and what of them is in use."""
        told: dict[str, Any] = self.get("/tenants/me/dashboard")
        return told

    def tenant(self) -> dict[str, Any]:
        """The tenant's plan, and each limit with whether it is the plan's or its own."""
        told: dict[str, Any] = self.get("/tenant")
        return told

    def usage(self, **asked: Any) -> dict[str, Any]:
        """What ran in a period; `asked` is the query of GET /usage: to, group_by, label. `since` stands for `from`."""
        if "since" in asked:
            asked["from"] = asked.pop("since")
        told: dict[str, Any] = self.get("/usage", **asked)
        return told

    def statements(self) -> list[dict[str, Any]]:
        """The months that are closed, the newest first."""
        told: list[dict[str, Any]] = self.get("/statements")["statements"]
        return told

    def statement(self, period: str) -> dict[str, Any]:
        """A month (YYYY-MM) as it stands, or as it was closed."""
        told: dict[str, Any] = self.get(f"/statements/{quote(period, safe='')}")
        return told

    def download_statement(self, period: str, to: str | Path) -> Path:
        """As a page to print if `to` ends with .html, else as CSV."""
        kind = "html" if str(to).endswith(".html") else "csv"
        return self.download(f"/statements/{quote(period, safe='')}.{kind}", to)

    def get(self, path: str, **query: Any) -> Any:
        return self.transport.json("GET", path, query=query)

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, idempotency_key: str | None = None) -> Any:
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else None
        return self.transport.json("POST", path, body=body, headers=headers)

    def download(self, path: str, to: str | Path) -> Path:
        """What is made on request at `path`, as a file; a cut begins anew."""
        return to_file(self.transport, path, Path(to))

    def rows(self, path: str, name: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every row of a list, a page at a time. The service's `next` is followed at our own address of it: behind a
        proxy it may name another, which must not see the key."""
        page = self.get(path, limit=PAGE, **query)
        while True:
            yield from page[name]
            if not page["next"]:
                return
            page = self.get(f"{path}?{page['next'].partition('?')[2]}")


def read_request(path: Path) -> dict[str, Any]:
    """A study's request from a JSON or YAML file. Raises ApiProblem."""
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix.lower() in {".yaml", ".yml"}:
            import yaml  # slow to load and rarely needed

            try:
                request = yaml.safe_load(text)
            except yaml.YAMLError as error:
                raise ValueError(error) from None
        else:
            request = json.loads(text)
    except (OSError, ValueError) as error:
        raise ApiProblem(f"{path} cannot be read as {'YAML' if 'y' in path.suffix else 'JSON'}: {error}") from None
    if not isinstance(request, dict):
        raise ApiProblem(f"{path} must hold an object of names and values.")
    return request
