"""`sumok8`: the commands for scenarios, and the groups of the others."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any, Callable

import click

from .. import __version__
from ..checking import check as checked
from ..errors import ApiProblem, line_of
from ..packing import Packing, packed_for, survey
from ..text import size
from . import account, jobs, signing_in, studies
from .shared import Group, bytes_shown, client, say_json, say_table, with_json

NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="sumok8")
@click.option("--profile", metavar="NAME", help="A profile of an earlier login; without it the newest, or SUMOK8_URL.")
def main(profile: str | None) -> None:
    """Run traffic simulations on a SUMO-K8 service.

    Exit codes: 0 succeeded, 1 the job or study failed, 2 a problem with the request, 130 interrupted.
    """


@main.command()
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option("--name", help="Of the scenario; default: the folder's or file's.")
@click.option("--config", metavar="PATH", help="The .sumocfg inside, if there are several.")
@click.option("--onto", metavar="SCENARIO[:VERSION]", help="SOURCE holds only what differs from this one.")
@click.option("--remove", multiple=True, metavar="PATH", help="With --onto: this file goes; may be repeated.")
@with_json
def upload(
    source: Path, name: str | None, config: str | None, onto: str | None, remove: tuple[str, ...], as_json: bool
) -> None:
    """Upload a zip, or a folder's .sumocfg with what it needs. The same content again changes nothing."""
    if onto is None:
        if remove:
            raise click.UsageError("--remove needs --onto.")
        name = name or _name_of(source)
        _tell_left_out(source, config, as_json)
    with bytes_shown("Uploading", as_json) as report:
        if onto is None:
            scenario = client().upload(name or "", source, config=config, report=report)
        else:
            base, _, version = onto.partition(":")
            if version and not re.fullmatch(r"[1-9][0-9]{0,8}", version):
                raise click.UsageError("Write --onto SCENARIO or --onto SCENARIO:VERSION, a number.")
            scenario = client().lay_over(
                base, source, base_version=int(version or 0) or None, remove=remove, save_as=name, config=config,
                report=report,
            )  # fmt: skip
    if as_json:
        say_json(scenario.data)
        return
    click.echo(f"Scenario {scenario.id}, version {scenario.version} ({scenario.data['config']}).")
    _tell_findings(scenario.data["inspection"])


@main.command()
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option("--config", metavar="PATH", help="The .sumocfg inside, if there are several.")
@click.option("--at-service", is_flag=True, help="Then send it to the service too, which keeps nothing of it.")
@with_json
def check(source: Path, config: str | None, at_service: bool, as_json: bool) -> None:
    """Tell what an upload would find, by the service's rules, which are here too: nothing is sent.

    What only the service knows, such as how large a scenario may be, it says with --at-service.
    """
    _tell_left_out(source, config, as_json, survey)
    found = checked(source, config=config)
    if at_service:
        with bytes_shown("Checking", as_json) as report:
            found = client().check(source, config=config, report=report)
    if as_json:
        say_json(found)
        return
    click.echo(f"Nothing is wrong with {source} ({found['config']}).")
    _tell_findings(found["inspection"])


@main.command()
@with_json
def scenarios(as_json: bool) -> None:
    """List scenarios, the newest first."""
    found = [scenario.data for scenario in client().scenarios()]
    if as_json:
        say_json(found)
        return
    rows = [
        [
            row["scenario_id"] + (" (shared)" if row["shared"] else ""),
            str(row["version"]),
            row["uploaded_at"][:16].replace("T", " "),
            size(row["size_bytes"]),
        ]
        for row in found
    ]
    say_table(["scenario", "version", "uploaded (UTC)", "size"], rows, numbers=["version", "size"])


@main.command("open")
@click.argument("identifier", required=False, metavar="[STUDY|JOB]")
@with_json
def open_(identifier: str | None, as_json: bool) -> None:
    """Open a page in the browser: a study's report, a job's page (needs a sign-in), or the API's documentation."""
    service = client()
    target = f"{service.url}/docs"
    if identifier:
        try:
            study = service.study(identifier)
        except ApiProblem as problem:
            if problem.status != 404:
                raise
            job = service.job(identifier)  # 404 if it is neither
            target = f"{service.url}/t/{service.tenant()['tenant_id']}/jobs/{job.id}"
        else:
            [page] = study.download(tempfile.mkdtemp(prefix="sumok8-"), ["report.html"])
            target = page.as_uri()
    if as_json:
        say_json({"url": target})
    else:
        click.echo(target)
        click.launch(target)


def _name_of(source: Path) -> str:
    plain = source.resolve().stem if source.is_file() else source.resolve().name
    name = NOT_IN_A_NAME.sub("-", plain).strip("-._")[:64]
    if not name:
        raise click.UsageError("Give the scenario a name: --name NAME.")
    return name


def _tell_left_out(
    source: Path, config: str | None, quiet: bool, find: Callable[[Path, str | None], Packing] = packed_for
) -> None:
    if not source.is_dir():
        return
    packing = find(source, config)
    if quiet:
        return
    click.echo(f"Packing {', '.join(packing.files[:20])}{' …' if len(packing.files) > 20 else ''}", err=True)
    if packing.left_out:
        shown = ", ".join(packing.left_out[:20]) + (" …" if len(packing.left_out) > 20 else "")
        click.echo(f"Left out, since {packing.config} does not need it: {shown}", err=True)


def _tell_findings(inspection: dict[str, Any]) -> None:
    for warning in inspection["warnings"]:
        click.echo(f"Warning: {line_of(warning)}", err=True)


signing_in.add_to(main)
jobs.add_to(main)
account.add_to(main)
main.add_command(studies.study)
