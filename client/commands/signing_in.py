"""The commands for signing in and out, and for completion."""

from __future__ import annotations

import os
import time
import urllib.parse
from typing import Any

import click
from click.shell_completion import get_completion_class

from .. import device, profiles
from ..api import Client
from ..errors import ApiProblem
from ..tokens import Traded, key_for, key_for_token
from .shared import say_json, say_table, with_json

SHELLS = ["bash", "zsh", "fish"]


def add_to(main: click.Group) -> None:
    for command in (login, logout, known, completion):
        main.add_command(command)


@click.command()
@click.argument("url")
@click.option("--name", default="default", show_default=True, help="Of the profile, if there are several services.")
@click.option("--with-key", is_flag=True, help="By API key, also where the service has an identity provider.")
@click.option("--key-file", type=click.File(), help="Read the key (or token) from a file, or from standard input (-).")
@click.option(
    "--token-exchange",
    is_flag=True,
    help="Trade an identity provider's token, of SUMOK8_TOKEN or asked for, for a key that ends in 15 minutes.",
)
@click.option("--tenant", help="Where several tenants trust your identity provider.")
@with_json
def login(
    url: str, name: str, with_key: bool, key_file: Any, token_exchange: bool, tenant: str | None, as_json: bool
) -> None:
    """Sign in to a service: at its identity provider, if it has one, else by API key. What it gave is kept."""
    url = url.rstrip("/") if "://" in url else f"https://{url.rstrip('/')}"
    if token_exchange:
        token = key_file.readline() if key_file else os.environ.get("SUMOK8_TOKEN") or _asked_for("Token")
        traded = key_for_token(url, token.strip(), tenant=tenant)
        profile = profiles.Profile(url, traded.key, traded.ends_at)
    elif not (with_key or key_file) and (place := device.offered(url)):
        profile = _of_person(url, place, tenant)
    else:
        profile = profiles.Profile(url, (key_file.readline() if key_file else _asked_for("API key")).strip())
    next(Client(profile.url, profile.key, patience_s=5).jobs(), None)  # refused: nothing is kept
    with profiles.locked():
        where = profiles.keep(name, profile)
        profiles.use(name)
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in device.LOOPBACK:
        click.echo("Careful: over http anyone on the way can read the key.", err=True)
    if as_json:
        say_json({"url": url, "profile": name, "kept_in": where})
    else:
        click.echo(f"Signed in to {url}; kept as {name!r} in {where}.")


def _of_person(url: str, place: device.SignIn, tenant: str | None) -> profiles.Profile:
    def ask(prompt: device.Prompt) -> None:
        click.echo(f"Open {prompt.url} and enter the code {prompt.code}", err=True)
        if prompt.with_code:
            click.echo(f"or open {prompt.with_code}", err=True)

    agreed = False

    def fresh() -> str:
        nonlocal place, agreed
        place, token = device.renewed(place) if agreed else device.sign_in(place, ask)
        agreed = True
        return token

    traded: Traded = key_for(url, fresh, tenant=tenant)
    signed_in = device.SignIn(place.issuer, place.client_id, place.refresh_token, place.scope, tenant)
    return profiles.Profile(url, traded.key, traded.ends_at, signed_in)


def _asked_for(what: str) -> str:
    return str(click.prompt(what, hide_input=True, err=True))


@click.command()
@click.argument("name", required=False, metavar="[PROFILE]")
@with_json
def logout(name: str | None, as_json: bool) -> None:
    """Forget a profile and its key; default: the one of the last login."""
    with profiles.locked():
        name = name or profiles.current()
        every = profiles.every()
        if name is None or name not in every:
            raise ApiProblem(f"There is no profile {name!r}." if name else "You are not signed in.")
        kept = every[name]
        profiles.forget(name)
    if kept and kept.sign_in and kept.sign_in.refresh_token:
        device.sign_out(kept.sign_in)
    if as_json:
        say_json({"profile": name, "forgotten": True})
        return
    click.echo(f"Forgot {name!r}.")
    if kept and kept.ends_at is None:
        click.echo("The key itself still works: on your tenant's pages it can be revoked.", err=True)


@click.command("profiles")
@click.option("--use", metavar="NAME", help="Use this one from now on.")
@with_json
def known(use: str | None, as_json: bool) -> None:
    """List what you are signed in to; the commands use the one marked *."""
    if use is not None:
        with profiles.locked():
            profiles.use(use)
    now, used = time.time(), profiles.current()
    rows: list[dict[str, Any]] = [
        {"profile": name, "url": each.url if each else "", "used": name == used, "state": _state(each, now)}
        for name, each in sorted(profiles.every().items())
    ]
    if as_json:
        say_json(rows)
        return
    table = [["*" if row["used"] else "", row["profile"], row["url"], row["state"]] for row in rows]
    say_table(["", "profile", "url", "signed in"], table)


def _state(profile: profiles.Profile | None, now: float) -> str:
    if profile is None:
        return "not any more: the keyring does not give the key"
    if profile.ends_at is None:
        return "by API key"
    if profile.sign_in and profile.sign_in.refresh_token:
        return f"at {profile.sign_in.issuer}"
    left = (profile.ends_at - now) / 60
    return f"for {left:.0f} more minutes" if left > 0 else "not any more: the key has ended"


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print what makes a shell complete the commands. For bash, add to ~/.bashrc: eval "$(sumok8 completion bash)"."""
    found = get_completion_class(shell)
    if found is None:  # all of SHELLS are click's own
        raise click.UsageError(f"There is none for {shell}.")
    click.echo(found(click.get_current_context().find_root().command, {}, "sumok8", "_SUMOK8_COMPLETE").source())
