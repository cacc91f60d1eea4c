"""How pages write times, quantities and states."""

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from simulations.charts.sparkline import sparkline
from simulations.charts.svg import Svg
from simulations.models import Job
from simulations.services import storage
from simulations.telling import Told, in_words, tell
from simulations.time_left import TimeLeft
from simulations.time_left import time_left as time_left_of
from tenants import marks

register = template.Library()
register.filter("size", storage.size)

DASH = "\N{EN DASH}"

BADGES = {
    "RUNNING": "info",
    "SUCCEEDED": "ok",
    "FAILED": "bad",
    "PENDING": "warn",
    "CANCELLED": "idle",
    "PAUSED": "warn",
    "COMPLETE": "ok",
    "INCOMPLETE": "bad",
    "Ready": "ok",
    "Joining": "info",
    "Leaving": "warn",
    "Not ready": "bad",
}


@register.filter
def duration(seconds: float | None) -> str:
    """`4 s`, `3 min`, `2 h 05 min`, `6 d 4 h`: two units at most."""
    if seconds is None:
        return DASH
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


@register.filter
def simclock(seconds: Any, to_seconds: bool = False) -> str:
    """Simulated time as H:MM, with seconds where there are some or they are asked for; a dash for what is not known."""
    if not isinstance(seconds, int | float):
        return DASH
    whole = round(seconds)
    rest = f":{whole % 60:02}" if whole % 60 or to_seconds else ""
    return f"{whole // 3600}:{whole % 3600 // 60:02}{rest}"


@register.filter
def since(moment: datetime | None) -> str | SafeString:
    """How long ago, as a `<time>` whose tooltip is the moment itself."""
    if moment is None:
        return DASH
    return format_html(
        '<time data-since datetime="{}" title="{}">{}</time>',
        moment.isoformat(timespec="seconds"),
        moment.strftime("%Y-%m-%d %H:%M:%S UTC"),
        duration((timezone.now() - moment).total_seconds()),
    )


@register.filter
def clock(moment: datetime | None) -> str | SafeString:
    """The moment, to the second, in UTC."""
    if moment is None:
        return DASH
    return format_html(
        '<time datetime="{}">{}</time>',
        moment.isoformat(timespec="seconds"),
        moment.strftime("%Y-%m-%d %H:%M:%S"),
    )


@register.filter
def gi(size_bytes: float | None) -> str:
    """Bytes as Gi."""
    return DASH if size_bytes is None else number(size_bytes / 1024**3)


@register.filter
def number(value: Any) -> str:
    """At most three significant digits below a thousand, grouped thousands above; a dash for nothing."""
    if value is None or value == "":
        return DASH
    if not isinstance(value, int | float) or isinstance(value, bool):
        return str(value)
    if abs(value) >= 1000 or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:.3g}"


@register.filter
def kmh(metres_per_second: Any) -> SafeString | str:
    """A speed as people drive it; a dash for what is not known."""
    if not isinstance(metres_per_second, int | float):
        return DASH
    return format_html('{}<span class="of"> km/h</span>', f"{metres_per_second * 3.6:.1f}")


@register.filter
def visible(text: Any) -> str:
    """A name from outside: what has no picture, or turns the writing around, as its number."""
    hidden = {"Cc", "Cf", "Zl", "Zp"}
    return "".join(f"\\u{ord(each):04x}" if unicodedata.category(each) in hidden else each for each in str(text))


@register.filter
def hours(sum_of: str | Decimal) -> str:
    """Hours and days of the ledger for reading, alike to tenants and staff: two decimals below a hundred."""
    value = float(sum_of)
    return number(value) if value >= 100 else f"{value:.2f}"


@register.filter
def words(reason: str) -> str:
    """`WAITING_FOR_NODE` → `Waiting for node`."""
    return in_words(reason)


@register.filter
def told(job: Job) -> Told:
    """Its reason and message as everyone is told them."""
    return tell(job)


@register.filter
def time_left(job: Job) -> TimeLeft:
    """Of a running job."""
    return time_left_of(job, timezone.now())


@register.simple_tag
def took(job: Job) -> str:
    """The time between start and end, or until now; a dash for what never started."""
    if job.started_at is None:
        return DASH
    return duration(((job.finished_at or timezone.now()) - job.started_at).total_seconds())


@register.filter
def trail(progress: Mapping[str, Any] | None) -> Svg:
    """How many drove since a run's begin, as a small curve."""
    points = [(point[0], point[1]) for point in (progress or {}).get("trail") or []]
    most = max((y for _, y in points), default=0)
    return sparkline(points, f"Vehicles since the begin, at most {number(most)}")


@register.simple_tag
def badge(state: str, label: str = "", kind: str = "") -> SafeString:
    """A state as a coloured word; `kind`: another colour than it has by itself."""
    return marks.badge(kind or BADGES.get(state, "idle"), label or state.capitalize())


@register.simple_tag
def meter(used: float, limit: float, label: str, *, calm: bool = False) -> SafeString:
    """`used` of `limit` as a bar: nearly full and full stand out, unless being full is no trouble (`calm`)."""
    return marks.meter(used, limit, label, f"{number(used)} of {number(limit or 1)}", calm=calm)
