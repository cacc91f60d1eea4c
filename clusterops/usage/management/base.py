"""What the commands of usage share."""

import re

from django.core.management.base import CommandError

from clusterops.usage.counting import Period

MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")


def month(text: str) -> Period:
    """Of `YYYY-MM`; empty: this month. Raises CommandError."""
    if not text:
        return Period.this_month()
    if not (named := MONTH.fullmatch(text)):
        raise CommandError(f"Write the month as YYYY-MM, for example 2026-11; {text[:20]!r} is none.")
    return Period.month(int(named[1]), int(named[2]))
