"""The commands for jobs."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import click

from ..errors import ApiProblem
from ..jobs import Job
from ..text import KPIS, figure, results_table
from .shared import (
    FAILED,
    ask_to_cancel,
    bytes_shown,
    client,
    say_json,
    say_table,
    watched,
    with_json,
)

STATUSES = ["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]


def add_to(main: click.Group) -> None:
    for command in (run, wait, logs, ls, show, cancel, results, compare):
        main.add_command(command)


@click.command()
@click.argument("scenario")
@click.option("--seed", type=int, help="Of all that is random; default: the configuration's own, else one is drawn.")
@click.option("--version", "scenario_version", type=int, help="Of the scenario; default: the newest.")
@click.option("--config", metavar="PATH", help="Another .sumocfg of the scenario.")
@click.option("--begin", type=float, metavar="SECONDS")
@click.option("--end", type=float, metavar="SECONDS")
@click.option("--step-length", type=float, metavar="SECONDS")
@click.option("--scale", type=float, help="Multiplies the demand.")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="A SUMO option; may be repeated.")
@click.option("--output", "outputs", multiple=True, metavar="NAME", help="A further output, such as edgedata.")
@click.option("--emissions", is_flag=True, help="Compute emissions; slower.")
@click.option("--edges-interval", "edges_interval_s", type=float, help="Seconds of an interval of the output edges.")
@click.option("--window-begin", type=float, metavar="SECONDS", help="Figures are over trips to depart from then on.")
@click.option("--window-end", type=float, metavar="SECONDS", help="… and before then.")
@click.option("--cpu", "cpu_request", type=int, metavar="CPUS")
@click.option("--memory-gi", type=int, metavar="GI")
@click.option("--time-limit", "time_limit_s", type=int, metavar="SECONDS", help="Of wall clock.")
@click.option("--priority-class", type=click.Choice(["low", "normal", "high"]), help="As staff allow it.")
@click.option("--priority", type=int, help="Higher runs first among your jobs.")
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="To find the job by; may be repeated.")
@click.option("--follow", is_flag=True, help="Wait for its end and tell the results; exit code as of `wait`.")
@with_json
def run(scenario: str, follow: bool, as_json: bool, **given: Any) -> None:
    """Submit a simulation of SCENARIO."""
    given["options"] = {name: _value(text) for name, text in _pairs("--option", given["options"])}
    given["labels"] = dict(_pairs("--label", given["labels"]))
    given["outputs"] = list(given["outputs"])
    fields = {name: value for name, value in given.items() if value not in (None, False, [], {})}
    job = client().run(scenario, **fields)
    if follow:
        if not as_json:
            click.echo(f"Job {job.id}", err=True)
        _to_its_end(job, as_json)
    elif as_json:
        say_json(job.data)
    else:
        click.echo(job.id)


@click.command()
@click.argument("job_id")
@click.option("--timeout", type=float, metavar="SECONDS", help="Stop waiting then, with exit code 2.")
@with_json
def wait(job_id: str, timeout: float | None, as_json: bool) -> None:
    """Wait for a job's end. Exit code 0: it succeeded, 1: it did not, 2: it could not be asked, 130: interrupted."""
    job = client().job(job_id)
    if timeout is not None:
        try:
            job.wait(timeout_s=timeout)
        except TimeoutError as error:
            raise ApiProblem(str(error), code="timeout") from None
    _to_its_end(job, as_json)


@click.command()
@click.argument("job_id")
@click.option("-f", "--follow", is_flag=True, help="As it is written, until the job ends.")
@click.option("--tail", type=click.IntRange(1, 5000), help="Lines from the end; without --follow.")
@click.option("--raw", is_flag=True, help="The runner's JSON lines as they are.")
@with_json
def logs(job_id: str, follow: bool, tail: int | None, raw: bool, as_json: bool) -> None:
    """Show a job's log; lines that begin with `# ` are the service's own."""
    job = client().job(job_id)
    if follow:
        try:
            for line in job.follow_log(readable=not raw):
                click.echo(json.dumps({"line": line}, ensure_ascii=False) if as_json else line)
        except KeyboardInterrupt:
            ask_to_cancel(job)
            raise
        return
    told = job.log(tail=tail, readable=not raw)
    if as_json:
        say_json(told)
        return
    click.echo(told["logs"], nl=False)
    if not told["logs"]:
        click.echo(f"# {told['message']}")


@click.command()
@click.option("--status", multiple=True, type=click.Choice(STATUSES, case_sensitive=False), help="May be repeated.")
@click.option("--scenario", "scenario_id")
@click.option("--label", multiple=True, metavar="NAME=VALUE", help="May be repeated; all must hold.")
@click.option("--since", "submitted_since", metavar="TIME", help="Submitted then or later, such as 2027-01-31T12:00Z.")
@click.option("--until", "submitted_until", metavar="TIME", help="Submitted before.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@with_json
def ls(limit: int, as_json: bool, status: tuple[str, ...], label: tuple[str, ...], **asked: Any) -> None:
    """List jobs, the newest first."""
    labels = [f"{name}:{value}" for name, value in _pairs("--label", label)]
    found = client().jobs(status=[each.upper() for each in status], label=labels, **asked)
    rows = [job.data for job in itertools.islice(found, limit)]
    if as_json:
        say_json(rows)
        return
    table = [
        [
            row["job_id"],
            row["status"],
            row["scenario_id"] or "-",
            row["submitted_at"][:16].replace("T", " "),
            row["message"],
        ]
        for row in rows
    ]
    say_table(["job", "status", "scenario", "submitted (UTC)", "message"], table)


@click.command()
@click.argument("job_id")
@with_json
def show(job_id: str, as_json: bool) -> None:
    """Show a job: its state and why, what was asked for, its timeline."""
    job = client().job(job_id)
    events = job.events()
    if as_json:
        say_json({**job.data, "timeline": events})
        return
    click.echo(f"{job.status}. {job.message}")
    asked = {name: value for name, value in job.data["request"].items() if value not in (None, [], {}, False)}
    say_table(["asked for", "value"], [[name, str(value)] for name, value in asked.items()])
    say_table(
        ["time (UTC)", "status", "reason", "message"],
        [[each["at"][:19].replace("T", " "), each["status"], each["reason"], each["message"]] for each in events],
    )


@click.command()
@click.argument("job_ids", nargs=-1, required=True, metavar="JOB_ID…")
@with_json
def cancel(job_ids: tuple[str, ...], as_json: bool) -> None:
    """Ask for the end of jobs."""
    service = client()
    ended = [service.job(job_id).cancel().data for job_id in job_ids]
    if as_json:
        say_json(ended)
    else:
        for row in ended:
            click.echo(f"{row['job_id']}  {row['message']}")


@click.command()
@click.argument("job_id")
@click.option("--download", is_flag=True, help="The files too, into ./JOB_ID; goes on where it was cut.")
@click.option("--as", "folder", type=click.Path(file_okay=False, path_type=Path), help="Into this folder instead.")
@click.option("--file", "names", multiple=True, metavar="NAME", help="Only this file; may be repeated.")
@with_json
def results(job_id: str, download: bool, folder: Path | None, names: tuple[str, ...], as_json: bool) -> None:
    """Tell a job's traffic results, and download its files."""
    job = client().job(job_id)
    told = job.results()
    paths: list[Path] = []
    if download or folder or names:
        with bytes_shown("Downloading", as_json) as report:
            paths = job.download(folder or Path(job.id), names=list(names) or None, report=report)
    if as_json:
        say_json({**told, "downloaded": [str(path) for path in paths]})
        return
    click.echo(results_table(told["kpis"]))
    for problem in told["errors"]:
        click.echo(f"  {problem['message']}")
    if not told["complete"]:
        click.echo("  Not complete: the run was cut short, or has not ended.")
    if paths:
        click.echo(f"{len(paths)} files in {folder or job.id}, each as the service has it (SHA-256).")
    else:
        say_table(
            ["file", "bytes"], [[each["name"], f"{each['size_bytes']:,}"] for each in told["files"]], numbers=["bytes"]
        )


@click.command()
@click.argument("job_a")
@click.argument("job_b")
@with_json
def compare(job_a: str, job_b: str, as_json: bool) -> None:
    """Two jobs' figures side by side. For what may be said of a difference, make a study."""
    service = client()
    a, b = (service.job(each).results()["kpis"] for each in (job_a, job_b))
    rows = []
    for name in KPIS:
        left, right = a.get(name), b.get(name)
        if left is None and right is None:
            continue
        difference = None if left is None or right is None else right - left
        relative = difference / left if difference is not None and left else None
        rows.append({"kpi": name, "a": left, "b": right, "difference": difference, "relative": relative})
    if as_json:
        say_json(rows)
        return
    table = [
        [
            KPIS[row["kpi"]][0],
            figure(row["kpi"], row["a"]),
            figure(row["kpi"], row["b"]),
            figure(row["kpi"], row["difference"]),
            "-" if row["relative"] is None else f"{row['relative']:+.1%}",
        ]
        for row in rows
    ]
    say_table(["figure", "A", "B", "B - A", "in %"], table, numbers=["A", "B", "B - A", "in %"])
    click.echo("One run each: the seed alone moves these figures. A study tells what a difference means.")


def _to_its_end(job: Job, as_json: bool) -> None:
    watched(job, quiet=as_json)
    if as_json:
        say_json(job.data)
    else:
        click.echo(f"{job.status}. {job.message}")
        click.echo(results_table(job.kpis))
    if not job.succeeded:
        click.get_current_context().exit(FAILED)


def _pairs(option: str, given: tuple[str, ...]) -> list[tuple[str, str]]:
    for each in given:
        if "=" not in each:
            raise click.UsageError(f"Write {option} NAME=VALUE, not {each!r}.")
    return [(each.partition("=")[0], each.partition("=")[2]) for each in given]


def _value(text: str) -> Any:
    """A number, true or false as such; else the text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, (bool, int, float)) else text
