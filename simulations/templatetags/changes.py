"""How pages write what was changed."""

import json
from typing import Any

from django import template

from tenants.models import Change

register = template.Library()
LONGEST = 200  # characters of a value


@register.filter
def differences(change: Change) -> list[tuple[str, str, str]]:
    """(column, old, new), each as text; without what the row says already."""
    told = {change.subject, change.tenant_name}
    return [
        (name, _text(old), _text(new))
        for name, (old, new) in sorted(change.fields.items())
        if change.action == "changed" or not {str(old), str(new)} & told
    ]


def _text(value: Any) -> str:
    if value is None or value in ("", []):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = value if isinstance(value, str) else ", ".join(map(str, value)) if isinstance(value, list) else ""
    text = text or json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
