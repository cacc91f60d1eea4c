"""Where on the form of a new study stands what the API's checks found, in the form's own words."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulations.portal.studies.request_form import StudyForm, VariantRow

# The field of a request → the field of the form.
PLACES = {
    **{name: name for name in ("name", "scenario_id", "scenario_version", "config", "begin", "end", "step_length")},
    "scale": "scales", "seeds": "count", "primary_kpis": "kpis", "relevant_difference": "matters",
    "precision": "precision", "precision.relative": "precision", "precision.kpi": "precision_kpi",
    "precision.max_seeds": "max_seeds", "window": "window_begin", "window.begin": "window_begin",
    "window.end": "window_end", "window.interval": "window_interval", "window_begin": "window_begin",
    "window_end": "window_end", "edges_interval_s": "window_interval",
}  # fmt: skip
# The same of a row of variants, and the row's own value.
IN_ROW = {"name": "name", "scenario_id": "scenario", "scenario_version": "version", "scale": "scale"}
COLUMNS = (*IN_ROW.values(), "options")
VARIANT = re.compile(r"variants\[(\d+)\]\.?([a-z_]*)")
OF_SHARES = {"matters", "precision"}  # per cent here, shares there
WORDS = (("“first”", "“First seed”"), ("“count”", "“Seeds”"), ("POST /scenarios", "the page Scenarios"))


@dataclass
class Mending:
    """`fields`: by the form's field, for a variant `name-1` and so on; `rest` has no field of its own."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    rest: list[Mapping[str, Any]] = field(default_factory=list)


def sorted_out(problems: Iterable[Mapping[str, Any]], form: StudyForm) -> Mending:
    found = Mending()
    for each in problems:
        places = _places(str(each.get("where") or ""), each.get("cells") or [], form)
        for place in places:
            sentences = found.fields.setdefault(place, [])
            sentence = _in_words(str(each["message"]), place)
            if sentence not in sentences:
                sentences.append(sentence)
        if not places:
            found.rest.append(each)
    return found


def _places(where: str, cells: Sequence[str], form: StudyForm) -> list[str]:
    where = where.removeprefix("base.").removeprefix("sweep.")
    if match := VARIANT.match(where):
        kept = [number for number, row in enumerate(form.variants, 1) if not row.is_empty()]
        number = int(match[1])
        column = IN_ROW.get(match[2], "options" if match[2] == "options" else "name")
        return [f"{column}-{kept[number]}"] if number < len(kept) else []
    rows = [(number, row) for number, row in enumerate(form.variants, 1) if not cells or _is_of(row, cells)]
    if where.startswith("options"):
        name = where.partition(".")[2]
        return [f"options-{number}" for number, row in rows if name in row.options][:1]
    top = re.split(r"[.\[]", where)[0]
    column = IN_ROW.get(top, "")
    if column and column != "name" and (own := [number for number, row in rows if cells and getattr(row, column)]):
        return [f"{column}-{number}" for number in own]
    place = PLACES.get(where) or PLACES.get(top)
    return [place] if place else []


def _is_of(row: VariantRow, cells: Sequence[str]) -> bool:
    return bool(row.name) and any(re.match(rf"{re.escape(row.name)}(?!\w)", cell) for cell in cells)


def _in_words(message: str, place: str) -> str:
    if place in OF_SHARES and message.startswith(("Must be at ", "Ensure this value")):
        return "Must be more than 0 and at most 100 per cent."
    for theirs, ours in WORDS:
        message = message.replace(theirs, ours)
    return message
