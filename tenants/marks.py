"""Words and bars that show a state, alike on the admin's pages and the dashboard's."""

from django.utils.html import format_html
from django.utils.safestring import SafeString


def badge(kind: str, text: str) -> SafeString:
    """A word in a state's colour; `kind`: ok, warn, bad, info, idle or empty."""
    return format_html('<span class="sk-badge{}">{}</span>', f" sk-badge--{kind}" if kind else "", text)


def meter(used: float, limit: float, label: str, text: str = "", *, calm: bool = False) -> SafeString:
    """`used` of `limit` as a bar: nearly full and full stand out, unless being full is no trouble (`calm`).

    `text` is for browsers without bars.
    """
    limit = limit or 1
    low, high = (limit, limit) if calm else (limit * 0.75, limit * 0.995)
    return format_html(
        '<meter class="sk-meter" min="0" max="{}" low="{}" high="{}" optimum="0" value="{}" aria-label="{}">{}</meter>',
        *(f"{value:.15g}" for value in (limit, low, high, min(used, limit))),
        label,
        text,
    )
