"""Studies through the REST API: whatever it can do, from a terminal."""

import uuid
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from client import ApiProblem, Client
from client.api import read_request
from client.studies import FILES, MORE_FILES
from client.text import cost, show, study_findings, study_line
from simulations.management.commands import _api

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
        export.add_argument("name", choices=FILES + MORE_FILES)
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
        body = read_request(options["file"])
        if options["dry_run"]:
            told = client.plan_study(body)
            self._say(f"{told['runs_total']} runs in {len(told['cells'])} cells; compared with {told['baseline']}.")
            self._say(cost(told["estimate"]))
            return
        study = client.submit_study(body)
        self._say(f"Study {study.id} is {study.status}: {study.data['runs']['total']} runs.")
        if options["watch"]:
            self._watch(client, options | {"study_id": study.id})

    def _list(self, client: Client, options: dict[str, Any]) -> None:
        for study in client.get("/studies")["studies"]:
            self._say(f"{study['study_id']}  {study['status']:<10}  {study['created_at'][:16]}  {study['name']}")

    def _show(self, client: Client, options: dict[str, Any]) -> None:
        study = client.study(options["study_id"])
        self._say(study_line(study.data))
        self._say(study.message)
        for failure in study.data["failures"]:
            self._say(f"  {failure['reason']}, {failure['count']} times in {failure['cell']}: {failure['message']}")

    def _watch(self, client: Client, options: dict[str, Any]) -> None:
        study = client.study(options["study_id"])
        show(study.watch(), self.stdout)
        self._say(study.message)
        self._summary(client, options)
        if not study.is_complete:
            raise CommandError(f"The study ended {study.status}.")

    def _summary(self, client: Client, options: dict[str, Any]) -> None:
        for line in study_findings(client.study(options["study_id"]).summary()):
            self._say(line)

    def _extend(self, client: Client, options: dict[str, Any]) -> None:
        study = client.study(options["study_id"]).extend(options["seeds_total"])
        self._say(f"{study.data['added']} seeds added. {study_line(study.data)}")

    def _export(self, client: Client, options: dict[str, Any]) -> None:
        path = client.download(f"/studies/{options['study_id']}/{options['name']}", options["to"] or options["name"])
        self._say(f"Wrote {path}.")

    def _act(self, client: Client, options: dict[str, Any]) -> None:
        study = getattr(client.study(options["study_id"]), options["action"])()
        if "retried" in study.data:
            self._say(f"{study.data['retried']} runs are run again.")
        self._say(study_line(study.data))

    def _say(self, text: str) -> None:
        self.stdout.write(text)
