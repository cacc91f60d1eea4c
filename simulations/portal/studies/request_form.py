"""The form of a new study: its fields as POST /studies takes them. What cannot be read goes on as it is, so that the
same checks name everything that is wrong at once."""

import json
import math
import shlex
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from simulations.studies.expansion import MAX_CELLS
from simulations.studies.kpis import DEFAULT_PRIMARY

FIELDS = (
    "name", "scenario_id", "scenario_version", "config", "begin", "end", "step_length", "scales", "first", "count",
    "matters", "precision_kpi", "precision", "max_seeds", "window_begin", "window_end", "window_interval", "key",
)  # fmt: skip
VARIANT = ("variant_name", "variant_scenario", "variant_version", "variant_scale", "variant_options")
FIRST_ROWS, MORE_ROWS = 2, 4
MAX_TEXT = 2000


@dataclass(frozen=True)
class VariantRow:
    name: str = ""
    scenario: str = ""
    version: str = ""
    scale: str = ""
    options: str = ""

    def is_empty(self) -> bool:
        return not any((self.name, self.scenario, self.version, self.scale, self.options))


class StudyForm:
    """`texts`: the fields as typed; `variants`: rows, empty ones among them."""

    def __init__(self, sent: QueryDict, *, more: bool = False) -> None:
        self.texts = {name: sent.get(name, "").strip()[:MAX_TEXT] for name in FIELDS}
        columns = [[text.strip()[:MAX_TEXT] for text in sent.getlist(name)[:MAX_CELLS]] for name in VARIANT]
        self.variants = [VariantRow(*row) for row in zip(*columns, strict=False)]
        self.variants += [VariantRow()] * (MORE_ROWS if more else max(0, FIRST_ROWS - len(self.variants)))
        self.kpis = sent.getlist("kpis")[:100]

    @classmethod
    def fresh(cls, key: str, scenario_id: str = "") -> "StudyForm":
        form = cls(QueryDict())
        form.texts |= {
            "scenario_id": scenario_id[:MAX_TEXT], "first": "1", "count": "10", "matters": "2", "max_seeds": "30",
            "precision_kpi": DEFAULT_PRIMARY[0],
            "key": key,
        }  # fmt: skip
        form.kpis = list(DEFAULT_PRIMARY)
        return form

    def body(self) -> dict[str, Any]:
        """A POST /studies body; what is left empty is left out."""
        texts = self.texts
        base = _given(
            scenario_id=texts["scenario_id"],
            scenario_version=_number(texts["scenario_version"]),
            config=texts["config"],
            **{name: _number(texts[name]) for name in ("begin", "end", "step_length")},
        )
        body = _given(
            name=texts["name"],
            variants=[_variant(row) for row in self.variants if not row.is_empty()],
            sweep=_given(scale=[_number(part) for part in _parts(texts["scales"])]),
            primary_kpis=self.kpis,
            relevant_difference=_share(texts["matters"]),
            precision=self._precision(),
            window=_given(**{name: _number(texts[f"window_{name}"]) for name in ("begin", "end", "interval")}),
        )
        return body | {"base": base, "seeds": {"first": _number(texts["first"]), "count": _number(texts["count"])}}

    def _precision(self) -> dict[str, Any] | None:
        if not self.texts["precision"]:
            return None
        return {
            "kpi": self.texts["precision_kpi"],
            "relative": _share(self.texts["precision"]),
            "max_seeds": _number(self.texts["max_seeds"]),
        }


def as_curl(origin: str, body: dict[str, Any]) -> str:
    """To paste into a shell."""
    sent = shlex.quote(json.dumps(body, indent=2, ensure_ascii=False))
    return (
        f'curl -X POST {shlex.quote(f"{origin}/studies")} -H "Authorization: Bearer $KEY" '
        f"-H 'Content-Type: application/json' -d {sent}"
    )


def _variant(row: VariantRow) -> dict[str, Any]:
    options = {}
    for part in _parts(row.options):
        name, _, value = part.partition("=")
        options[name.strip().removeprefix("--")] = _value(value.strip())
    given = _given(
        scenario_id=row.scenario, scenario_version=_number(row.version), scale=_number(row.scale), options=options
    )
    return {"name": row.name, **given}


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in ("", None, [], {})}


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.replace(";", ",").replace("\n", ",").split(",") if part.strip()][
        : MAX_CELLS + 1
    ]


def _number(text: str) -> int | float | str:
    """As JSON has it: without NaN, infinity and whole numbers that no float holds."""
    try:
        number = float(text)
    except ValueError:
        return text
    if not math.isfinite(number):
        return text
    try:
        return int(text)
    except ValueError:
        return number


def _share(text: str) -> float | str:
    """Per cent as a share."""
    number = _number(text)
    return number if isinstance(number, str) else round(number / 100, 10)


def _value(text: str) -> Any:
    return {"true": True, "false": False}.get(text.lower(), _number(text))
