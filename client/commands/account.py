"""The commands for what a tenant may, used and pays, and for who is told."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import click

from ..webhooks import Webhook
from .shared import Group, client, say_json, say_table, with_json

GROUPINGS = ["day", "label", "scenario", "study", "job", "ending"]


def add_to(main: click.Group) -> None:
    for command in (limits, usage, statement, webhooks):
        main.add_command(command)


@click.command()
@with_json
def limits(as_json: bool) -> None:
    """Tell the plan, the limits and whose they are, and what is kept."""
    told = client().tenant()
    if as_json:
        say_json(told)
        return
    click.echo(f"Tenant {told['tenant_id']}, {'plan ' + told['plan'] if told['plan'] else 'no plan'}")
    rows = [[name, _plain(each["value"]), each["source"]] for name, each in told["limits"].items()]
    say_table(["limit", "value", "from"], rows, numbers=["value"])
    for line in [told["refused_because"], *told["storage"]["warnings"]]:
        if line:
            click.echo(line, err=True)


@click.command()
@click.option("--from", "since", metavar="DAY", help="Such as 2026-11-01; default: the first of this month.")
@click.option("--to", metavar="DAY", help="The first day after; default: a month later.")
@click.option("--group-by", type=click.Choice(GROUPINGS), default="day", show_default=True)
@click.option("--label", help="With --group-by label: the label's name.")
@with_json
def usage(since: str | None, to: str | None, group_by: str, label: str | None, as_json: bool) -> None:
    """Tell what ran in a period, and what of it is billed."""
    told = client().usage(since=since, to=to, group_by=group_by, label=label)
    if as_json:
        say_json(told)
        return
    click.echo(f"{told['from']} up to, not including, {told['to']} ({told['time_zone']})")
    rows = [_used(each["group"] or "(none)", each) for each in told["groups"]]
    numbers = ["runs", "CPU h", "GiB h", "billed", "billed CPU h", "billed GiB h"]
    say_table([group_by, *numbers], [*rows, _used("total", told["total"])], numbers=numbers)
    if told["more_groups"]:
        click.echo("There are more groups; ask for a shorter period.", err=True)


@click.command()
@click.argument("period", required=False, metavar="[YYYY-MM]")
@click.option("--as", "to", type=click.Path(path_type=Path), help="A file to write: .csv, or .html to print.")
@with_json
def statement(period: str | None, to: Path | None, as_json: bool) -> None:
    """Tell a month's statement, closed or as it stands; without a month, list those that are closed."""
    service = client()
    if period is None:
        found = service.statements()
        if as_json:
            say_json(found)
        else:
            rows = [[each["period"], f"{each['total']} {each['currency']}", each["sha256"]] for each in found]
            say_table(["period", "total", "SHA-256"], rows, numbers=["total"])
        return
    if to is not None:
        click.echo(service.download_statement(period, to))
        return
    told = service.statement(period)
    if as_json:
        say_json(told)
        return
    click.echo(f"{told['period']}, {'closed' if told['closed'] else 'not closed yet: it may still change'}")
    columns = ["item", "quantity", "price", "amount"]
    lines = [
        [each["label"], f"{each['quantity']} {each['unit']}", each["price"] or "-", each["amount"] or "-"]
        for each in told["lines"]
    ]
    say_table(columns, [*lines, ["total", "", "", f"{told['total']} {told['currency']}"]], numbers=columns[1:])


@click.group(cls=Group)
def webhooks() -> None:
    """Be told when jobs and studies end, budgets are reached and keys expire."""


@webhooks.command()
@with_json
def ls(as_json: bool) -> None:
    """List them."""
    found = [each.data for each in client().webhooks()]
    if as_json:
        say_json(found)
        return
    rows = [
        [each["endpoint_id"], each["url"], ", ".join(each["events"]) or "all", each["disabled_because"] or _state(each)]
        for each in found
    ]
    say_table(["webhook", "url", "events", "state"], rows)


@webhooks.command()
@click.argument("url")
@click.option("--event", "events", multiple=True, help="Such as job.failed; may be repeated. Default: all.")
@with_json
def add(url: str, events: tuple[str, ...], as_json: bool) -> None:
    """Add URL. The answer has the secret to check signatures with, which is shown only now."""
    _tell_secret(client().add_webhook(url, events), as_json)


@webhooks.command()
@click.argument("webhook")
@with_json
def rotate(webhook: str, as_json: bool) -> None:
    """Make a new secret; the one before signs as well for a day."""
    _tell_secret(client().webhook(webhook).rotate(), as_json)


@webhooks.command()
@click.argument("webhook")
@with_json
def test(webhook: str, as_json: bool) -> None:
    """Send a test; `log` tells what came of it."""
    told = client().webhook(webhook).test()
    if as_json:
        say_json(told)
    else:
        click.echo(f"Sent as {told['message_id']}; `sumok8 webhooks log {webhook}` tells what came of it.")


@webhooks.command()
@click.argument("webhook")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
@with_json
def log(webhook: str, limit: int, as_json: bool) -> None:
    """List what was sent, the newest first."""
    found = list(itertools.islice(client().webhook(webhook).deliveries(), limit))
    if as_json:
        say_json(found)
        return
    rows = [
        [
            each["happened_at"][:19].replace("T", " "),
            each["event"],
            each["state"],
            str(each["tries"]),
            str(each["last_status"] or each["last_problem"] or ""),
        ]
        for each in found
    ]
    say_table(["happened (UTC)", "event", "state", "tries", "last answer"], rows, numbers=["tries"])


@webhooks.command()
@click.argument("webhook")
@click.option("--since", required=True, metavar="TIME", help="ISO 8601, such as 2026-11-01T00:00:00Z.")
@with_json
def replay(webhook: str, since: str, as_json: bool) -> None:
    """Tell it again of all that happened since then."""
    told = client().webhook(webhook).replay(since)
    if as_json:
        say_json(told)
    else:
        click.echo(f"{told['queued']} are told again{'; there may be more' if told['more'] else ''}.")


@webhooks.command()
@click.argument("webhook")
@with_json
def enable(webhook: str, as_json: bool) -> None:
    """Call it again, with what waited."""
    changed = client().webhook(webhook).change(active=True)
    if as_json:
        say_json(changed.data)
    else:
        click.echo(f"{changed.data['url']} is called again.")


@webhooks.command()
@click.argument("webhook")
@with_json
def rm(webhook: str, as_json: bool) -> None:
    """Remove it."""
    client().webhook(webhook).delete()
    if as_json:
        say_json({"endpoint_id": webhook, "deleted": True})
    else:
        click.echo(f"Removed {webhook}.")


def _tell_secret(made: Webhook, as_json: bool) -> None:
    if as_json:
        say_json(made.data)
        return
    click.echo(f"Webhook {made.id} to {made.data['url']}")
    click.echo(f"Secret (shown only now): {made.data['secret']}")


def _state(row: dict[str, Any]) -> str:
    if not row["active"]:
        return "not active"
    return "failing" if row["failing_since"] else "active"


def _used(name: str, counted: dict[str, Any]) -> list[str]:
    both = (counted["all"], counted["billable"])
    return [name, *(str(sums[item]) for sums in both for item in ("runs", "cpu_hours", "gib_hours"))]


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
