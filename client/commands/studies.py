"""The commands for studies."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import click

from ..api import read_request
from ..studies import FILES, MORE_FILES, Study
from ..text import cost, study_findings, study_line
from .shared import FAILED, bytes_shown, client, say_json, say_table, watched, with_json

WORSE = "worse"


class Studies(click.Group):
    """`sumok8 study FILE` submits the file."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in self.commands and Path(args[0]).suffix.lower() in {".yaml", ".yml", ".json"}:
            args = ["submit", *args]
        return super().resolve_command(ctx, args)


@click.group(cls=Studies, subcommand_metavar="FILE|COMMAND [ARGS]...")
def study() -> None:
    """Many runs from one request, and what they carry. With a FILE (JSON or YAML), submit what it asks for."""


def _fails(command: Any) -> Any:
    help_text = "Exit code 1 if a primary figure is worse by a relevant difference; where the base is about 0, by any."
    return click.option("--fail-if", type=click.Choice([WORSE]), help=help_text)(command)


@study.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only tell what it would be.")
@click.option("--watch", "follow", is_flag=True, help="Follow it to its end, then tell what may be said.")
@_fails
@with_json
def submit(file: Path, dry_run: bool, follow: bool, fail_if: str | None, as_json: bool) -> None:
    """Submit the study that FILE (JSON or YAML) asks for."""
    request = read_request(file)
    if dry_run:
        planned = client().plan_study(request)
        if as_json:
            say_json(planned)
        else:
            cells = len(planned["cells"])
            click.echo(f"{planned['runs_total']} runs in {cells} cells; compared with {planned['baseline']}.")
            click.echo(cost(planned["estimate"]))
        return
    started = client().submit_study(request)
    if follow or fail_if:
        if not as_json:
            click.echo(f"Study {started.id}", err=True)
        _to_its_end(started, fail_if, as_json)
    elif as_json:
        say_json(started.data)
    else:
        click.echo(started.id)


@study.command()
@click.argument("study_id")
@_fails
@with_json
def watch(study_id: str, fail_if: str | None, as_json: bool) -> None:
    """Follow a study to its end, then tell what may be said. Exit code 1: it gives no verdict."""
    _to_its_end(client().study(study_id), fail_if, as_json)


@study.command()
@click.option("--status", multiple=True, help="Such as RUNNING; may be repeated.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@with_json
def ls(status: tuple[str, ...], limit: int, as_json: bool) -> None:
    """List studies, the newest first."""
    rows = list(itertools.islice(client().studies(status=[each.upper() for each in status]), limit))
    if as_json:
        say_json(rows)
        return
    table = [[row["study_id"], row["status"], row["created_at"][:16].replace("T", " "), row["name"]] for row in rows]
    say_table(["study", "status", "created (UTC)", "name"], table)


@study.command()
@click.argument("study_id")
@with_json
def show(study_id: str, as_json: bool) -> None:
    """Show how far a study is, and what failed in it."""
    found = client().study(study_id)
    if as_json:
        say_json(found.data)
        return
    click.echo(study_line(found.data))
    click.echo(found.message)
    for each in found.data["failures"]:
        click.echo(f"  {each['reason']}, {each['count']} times in {each['cell']}: {each['message']}")


@study.command()
@click.argument("study_id")
@click.option("--confidence", type=click.FloatRange(0.5, 0.999), default=0.95, show_default=True)
@_fails
@with_json
def compare(study_id: str, confidence: float, fail_if: str | None, as_json: bool) -> None:
    """Tell what may be said of a study's differences so far."""
    _tell(client().study(study_id), fail_if, as_json, confidence)


@study.command()
@click.argument("study_id")
@click.option("--as", "folder", type=click.Path(file_okay=False, path_type=Path), help="Default: ./STUDY_ID.")
@click.option(
    "--file", "names", multiple=True, type=click.Choice(FILES + MORE_FILES), help="Only this one; may be repeated."
)
@with_json
def results(study_id: str, folder: Path | None, names: tuple[str, ...], as_json: bool) -> None:
    """Download a study's tables, its report and all of it as a zip."""
    found = client().study(study_id)
    with bytes_shown("Downloading", as_json):
        paths = found.download(folder or Path(found.id), names or FILES)
    if as_json:
        say_json({"downloaded": [str(path) for path in paths]})
    else:
        click.echo("\n".join(str(path) for path in paths))


@study.command()
@click.argument("study_id")
@click.option("--seeds-total", type=click.IntRange(1), required=True, help="Seeds in all; may be repeated.")
@with_json
def extend(study_id: str, seeds_total: int, as_json: bool) -> None:
    """Add seeds to a study."""
    _say(client().study(study_id).extend(seeds_total), as_json)


def _act(name: str, help_text: str) -> None:
    @study.command(name, help=help_text)
    @click.argument("study_id")
    @with_json
    def act(study_id: str, as_json: bool) -> None:
        _say(getattr(client().study(study_id), name)(), as_json)


_act("pause", "Start nothing new.")
_act("resume", "Go on.")
_act("cancel", "End it for good; results so far are kept.")
_act("retry", "Run what failed again, with the same seeds.")


def _say(found: Study, as_json: bool) -> None:
    if as_json:
        say_json(found.data)
    else:
        click.echo(study_line(found.data))


def _to_its_end(found: Study, fail_if: str | None, as_json: bool) -> None:
    watched(found, quiet=as_json)
    if not as_json:
        click.echo(found.message)
    _tell(found, fail_if, as_json)
    if not found.is_complete:
        click.get_current_context().exit(FAILED)


def _tell(found: Study, fail_if: str | None, as_json: bool, confidence: float | None = None) -> None:
    summary = found.summary(confidence=confidence)
    if as_json:
        say_json(summary)
    else:
        click.echo("\n".join(study_findings(summary)))
    matters = summary["relevant_difference"]
    if fail_if == WORSE and (worse := [each for each in summary["comparisons"] if _is_worse(each, matters)]):
        click.echo(f"{len(worse)} of the primary figures are worse by a relevant difference.", err=True)
        click.get_current_context().exit(FAILED)


def _is_worse(comparison: dict[str, Any], matters: float) -> bool:
    """By a verdict; or, where the seed plays no part and nothing can be tested, by what every seed shows.

    Of a base of about 0 nothing is a share: there whatever the runs show to be worse counts.
    """
    if not comparison["primary"] or comparison["direction"] != WORSE:
        return False
    if comparison["relative"] is None:
        return True
    if comparison["p"] is None:
        return abs(comparison["relative"]) > matters
    return bool(comparison["relevance"] == "relevant")
