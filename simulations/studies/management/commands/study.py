"""Studies through the REST API: whatever it can do, from a terminal."""

import json
import time
import uuid
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from simulations.client import ApiProblem, Client
from simulations.management.commands import _api

EVERY_S = 2.0
PATIENCE_S = 60.0
ACTIVE = ("RUNNING", "PAUSED")
FILES = ("archive.zip", "runs.csv", "summary.csv", "comparisons.csv", "report.html")
ONE_STUDY = {
    "show": "tell how far it is",
    "watch": "follow it to its end, then tell what may be said",
    "summary": "tell what may be said so far",
    "pause": "start nothing new",
    "resume": "go on",
    "cancel": "end it for good; results so far are kept",
    "retry": "run what failed again, with the same seeds",
}


class Command(BaseCommand):
    help = (
        "Submit, watch, steer and export studies. "
        "Example: manage.py study submit bus-lane.json --key-file city-a.key --watch"
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        submit = actions.add_parser("submit", help="a POST /studies body from a file")
        submit.add_argument("file", type=Path)
        submit.add_argument("--dry-run", action="store_true", help="only tell what it would be")
        submit.add_argument("--watch", action="store_true", help="follow it to its end")
        every = [submit, actions.add_parser("list", help="the newest")]
        for name, text in ONE_STUDY.items():
            every.append(actions.add_parser(name, help=text))
            every[-1].add_argument("study_id", type=uuid.UUID)
        extend = actions.add_parser("extend", help="add seeds")
        extend.add_argument("study_id", type=uuid.UUID)
        extend.add_argument("--seeds-total", type=int, required=True, help="seeds in all; may be repeated")
        export = actions.add_parser("export", help="write a file of it")
        export.add_argument("study_id", type=uuid.UUID)
        export.add_argument("name", choices=FILES)
        export.add_argument("--to", type=Path, help="default: the same name, in this folder")
        for each in [*every, extend, export]:
            _api.add_arguments(each)

    def handle(self, *args: Any, **options: Any) -> None:
        client = _api.client(options)
        try:
            getattr(self, f"_{options['action']}", self._act)(client, options)
        except ApiProblem as problem:
            raise CommandError(str(problem)) from None

    def _submit(self, client: Client, options: dict[str, Any]) -> None:
        try:
            body = json.loads(options["file"].read_text())
        except (OSError, ValueError) as error:
            raise CommandError(f"{options['file']} cannot be read as JSON: {error}") from None
        if options["dry_run"]:
            told = client.post("/studies?dry_run=1", body)
            self._say(f"{told['runs_total']} runs in {len(told['cells'])} cells; compared with {told['baseline']}.")
            self._say(_cost(told["estimate"]))
            return
        told = client.post("/studies", body, idempotency_key=uuid.uuid4().hex)
        self._say(f"Study {told['study_id']} is {told['status']}: {told['runs_total']} runs. {_cost(told['estimate'])}")
        if options["watch"]:
            self._watch(client, options | {"study_id": told["study_id"]})

    def _list(self, client: Client, options: dict[str, Any]) -> None:
        for study in client.get("/studies")["studies"]:
            self._say(f"{study['study_id']}  {study['status']:<10}  {study['created_at'][:16]}  {study['name']}")

    def _show(self, client: Client, options: dict[str, Any]) -> None:
        study = client.get(f"/studies/{options['study_id']}")
        self._say(_line(study))
        self._say(study["message"])
        for failure in study["failures"]:
            self._say(f"  {failure['reason']}, {failure['count']} times in {failure['cell']}: {failure['message']}")

    def _watch(self, client: Client, options: dict[str, Any]) -> None:
        shown = ""
        study: Mapping[str, Any] = {}
        for study in _looks(client, f"/studies/{options['study_id']}"):
            if (line := _line(study)) != shown:
                self._say(line)
            shown = line
        self._say(study["message"])
        self._summary(client, options)
        if study["status"] != "COMPLETE":
            raise CommandError(f"The study ended {study['status']}.")

    def _summary(self, client: Client, options: dict[str, Any]) -> None:
        told = client.get(f"/studies/{options['study_id']}/summary")
        for cell in told["cells"]:
            for name in told["primary_kpis"]:
                if known := cell["kpis"].get(name):
                    low, high = known["ci"] or ("-", "-")
                    self._say(f"{cell['cell']}  {name}  n {known['n']}  mean {known['mean']}  {low} to {high}")
        for each in told["comparisons"]:
            if each["primary"]:
                self._say(each["sentence"])
        for flag in told["flags"]:
            self._say(f"{flag['level']}: {flag['cell'] or 'study'}: {flag['message']}")
        if not told["final"]:
            self._say("Not final: from the runs that have ended so far.")

    def _extend(self, client: Client, options: dict[str, Any]) -> None:
        study = client.post(f"/studies/{options['study_id']}/extend", {"seeds_total": options["seeds_total"]})
        self._say(f"{study['added']} seeds added. {_line(study)}")

    def _export(self, client: Client, options: dict[str, Any]) -> None:
        path: Path = options["to"] or Path(options["name"])
        try:
            with path.open("wb") as file:
                client.download(f"/studies/{options['study_id']}/{options['name']}", file)
        except ApiProblem:
            path.unlink(missing_ok=True)
            raise
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error}") from None
        self._say(f"Wrote {path}.")

    def _act(self, client: Client, options: dict[str, Any]) -> None:
        study = client.post(f"/studies/{options['study_id']}/{options['action']}")
        if "retried" in study:
            self._say(f"{study['retried']} runs are run again.")
        self._say(_line(study))

    def _say(self, text: str) -> None:
        self.stdout.write(text)


def _looks(client: Client, path: str) -> Iterator[Mapping[str, Any]]:
    """The study again and again until it has ended; a service that is away is asked again for a while."""
    answered = time.monotonic()
    while True:
        try:
            study = client.get(path)
        except ApiProblem as problem:
            if not problem.passes or time.monotonic() - answered > PATIENCE_S:
                raise
        else:
            answered = time.monotonic()
            yield study
            if study["status"] not in ACTIVE:
                return
        time.sleep(EVERY_S)


def _line(study: Mapping[str, Any]) -> str:
    runs = study["runs"]
    parts = [f"{runs['succeeded']} of {runs['total']} runs succeeded"]
    parts += [f"{runs[name]} {name}" for name in ("running", "queued", "planned", "failed", "cancelled") if runs[name]]
    if study["eta_s"] and study["status"] == "RUNNING":
        parts.append(f"about {study['eta_s']:.0f} s to go")
    return f"{study['status']}  {', '.join(parts)}"


def _cost(estimate: Mapping[str, Any]) -> str:
    if estimate["cpu_h"] is None:
        return "What it costs is not known: no such run has ended yet."
    return f"About {estimate['cpu_h']:g} CPU hours and {estimate['duration_s']:.0f} s under today's limits."
