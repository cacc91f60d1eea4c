"""What all commands share: the caller's client, --json, tables, progress bars, errors and exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, Callable, TypeVar

import click
from rich import box
from rich.console import Console, JustifyMethod
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from ..api import Client
from ..connection import connect
from ..errors import ApiProblem
from ..jobs import Job
from ..studies import Study
from ..text import line_of, study_line

FAILED, PROBLEM, INTERRUPTED = 1, 2, 130  # exit codes
PIPE_WIDTH = 400
JSON = "sumok8.json"  # in the context: whether errors are told as JSON
PATIENCE_S = 120.0  # for a service that restarts
Command = TypeVar("Command", bound=Callable[..., Any])


class Group(click.Group):
    """Turns what the service refuses into its sentence and exit code 2, and Ctrl-C into 130: never a traceback."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except ApiProblem as problem:
            if context.meta.get(JSON):
                click.echo(json.dumps(problem.as_json()), err=True)
            else:
                click.echo(str(problem), err=True)
            context.exit(PROBLEM)
        except (KeyboardInterrupt, click.Abort):
            click.echo("\nInterrupted.", err=True)
            context.exit(INTERRUPTED)


def client() -> Client:
    """For the profile of this call."""
    return connect(click.get_current_context().find_root().params.get("profile"), patience_s=PATIENCE_S)


def with_json(command: Command) -> Command:
    """The option --json, as the argument `as_json`."""

    @click.option("--json", "as_json", is_flag=True, help="Answers as JSON, for scripts.")
    @wraps(command)
    def run(*args: Any, **options: Any) -> Any:
        click.get_current_context().meta[JSON] = options["as_json"]
        return command(*args, **options)

    return run  # type: ignore[return-value]


def say_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def say_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[str] = ()) -> None:
    """The first column and numbers always whole, in one line, to be copied; in a pipe the others too."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, name in enumerate(columns):
        justify: JustifyMethod = "right" if name in numbers else "left"
        table.add_column(name, justify=justify, overflow="fold", no_wrap=not number or name in numbers)
    for row in rows:
        table.add_row(*row)
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    Console(width=width, markup=False, highlight=False).print(table)


@contextmanager
def bytes_shown(what: str, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A progress bar of bytes on standard error, where that is a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    bar = Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), disable=quiet or not _is_terminal())
    with bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def watched(what: Job | Study, *, quiet: bool, cancels: bool = True) -> None:
    """Until it has ended, with a line on standard error that tells how far it is. Ctrl-C asks whether to cancel."""
    shown = ""
    try:
        for _ in what.watch():
            line = line_of(what.data) if isinstance(what, Job) else study_line(what.data)
            if not quiet and _is_terminal():
                click.echo(f"\r\x1b[2K{line[:160]}", nl=False, err=True)
            elif not quiet and line != shown:
                click.echo(line, err=True)
            shown = line
        if not quiet and _is_terminal():
            click.echo(err=True)
    except KeyboardInterrupt:
        if cancels:
            ask_to_cancel(what)
        raise


def ask_to_cancel(what: Job | Study) -> None:
    """It runs on unless someone at a terminal says otherwise."""
    name = "job" if isinstance(what, Job) else "study"
    click.echo(err=True)
    if sys.stdin.isatty() and click.confirm(f"Cancel the {name} too?", default=False, err=True):
        what.cancel()
        click.echo(f"Asked for the end of {name} {what.id}.", err=True)
    else:
        click.echo(f"The {name} runs on: {what.id}", err=True)


def _is_terminal() -> bool:
    return sys.stderr.isatty()
