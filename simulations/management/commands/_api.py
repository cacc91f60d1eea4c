"""Options that the commands speaking to the REST API share."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from client import ApiProblem, Client


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--url", default=settings.RUNNER_URL, help="address of the service (default: %(default)s)")
    parser.add_argument(
        "--key-file", type=Path, help="file with the tenant's API key; without it SUMOK8_KEY is read, never an argument"
    )


def client(options: dict[str, Any]) -> Client:
    """The client those options describe."""
    path: Path | None = options["key_file"]
    try:
        key = path.read_text().strip() if path else os.environ.get("SUMOK8_KEY", "")
    except OSError as error:
        raise CommandError(f"The key file cannot be read: {error}") from None
    if not key:
        raise CommandError("Give the tenant's API key: --key-file FILE, or the environment variable SUMOK8_KEY.")
    try:
        return Client(options["url"], key)
    except ApiProblem as problem:
        raise CommandError(str(problem)) from None
