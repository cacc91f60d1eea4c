"""What callers may ask of studies, field by field."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from simulations.api.fields import Choice, Line, Number, ShortList, StrictSerializer, Text, WholeNumber, YesNo
from simulations.api.pagination import MAX_LIMIT, CursorField
from simulations.api.requests import ScenarioIdField, SubmitRequest
from simulations.api.rewording import flat, reworded
from simulations.studies.expansion import MAX_CELLS, Expansion, ExpansionFault, PlannedCell, expand
from simulations.studies.kpis import CHOICES, DEFAULT_PRIMARY, FIGURES
from simulations.studies.limits import MAX_SEEDS
from simulations.studies.models import Study, StudyRun
from simulations.sumo.inputs.options import EDGES
from simulations.sumo.protocol.problems import MAX_LISTED

MAX_SEED = 2**31 - 1
KPI_HELP = f"One of {', '.join(FIGURES)}."


@extend_schema_serializer(component_name="StudyBase")
class BaseShape(SubmitRequest):
    """A POST /jobs body without a seed."""

    seed = None  # type: ignore[assignment]
    scenario_id = ScenarioIdField(required=False, help_text="A scenario of yours, or a shared one.")


@extend_schema_serializer(component_name="StudyVariant")
class VariantShape(BaseShape):
    """What a variant asks for differently."""

    name = Text(max_length=60)


class BodyField(serializers.DictField):
    """Checked cell by cell; see `cells_of`."""

    default_error_messages = {"not_a_dict": "Must be an object."}


@extend_schema_field(BaseShape)
class BaseField(BodyField):
    pass


@extend_schema_field(VariantShape)
class VariantField(BodyField):
    pass


@extend_schema_field(
    {
        "oneOf": [
            {
                "type": "object",
                "properties": {"first": {"type": "integer"}, "count": {"type": "integer", "maximum": MAX_SEEDS}},
            },
            {"type": "array", "items": {"type": "integer"}, "maxItems": MAX_SEEDS},
        ],
        "description": "The same in every cell: from `first` on, or a list. Default: 1 to 10.",
    }
)
class SeedsField(serializers.Field):
    """{"first", "count"} or a list of seeds; becomes a list."""

    default_error_messages = {
        "invalid": "Must be an object with “first” and “count”, or a list of whole numbers.",
        "whole": "“first” and “count” must be whole numbers.",
        "range": f"Seeds are from 0 to {MAX_SEED}.",
        "count": f"From 1 to {MAX_SEEDS} seeds.",
        "twice": "A seed is given twice.",
    }

    def to_internal_value(self, data: Any) -> list[int]:
        if isinstance(data, Mapping):
            if not data.keys() <= {"first", "count"}:
                self.fail("invalid")
            first, count = data.get("first", 1), data.get("count", 10)
            if not _whole(first) or not _whole(count):
                self.fail("whole")
            if not 1 <= count <= MAX_SEEDS:
                self.fail("count")
            data = range(first, first + count)
        elif not isinstance(data, list) or not all(map(_whole, data)):
            self.fail("invalid")
        seeds = list(data)
        if not 1 <= len(seeds) <= MAX_SEEDS:
            self.fail("count")
        if not all(0 <= seed <= MAX_SEED for seed in seeds):
            self.fail("range")
        if len(set(seeds)) < len(seeds):
            self.fail("twice")
        return seeds

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"oneOf": [{"type": "number"}, {"type": "boolean"}, {"type": "string", "maxLength": 200}]})
class SweptValue(serializers.Field):
    default_error_messages = {"invalid": "Must be a number, true or false, or a short text."}

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, bool | int | float | str) or (isinstance(data, str) and len(data) > 200):
            self.fail("invalid")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class PrecisionRequest(StrictSerializer):
    """Go on with whole rounds of seeds until the mean of every cell is known so well."""

    kpi = Choice(choices=CHOICES, help_text=KPI_HELP)
    relative = Number(
        min_value=1e-4, max_value=1, allow_null=True, default=None, help_text="Half the interval, as a share."
    )
    absolute = Number(min_value=1e-9, allow_null=True, default=None, help_text="The same in the figure's unit.")
    confidence = Number(min_value=0.5, max_value=0.999, default=0.95)
    max_seeds = WholeNumber(min_value=5, max_value=MAX_SEEDS, default=30)

    def further_errors(self, data: Any, errors: dict[str, Any]) -> dict[str, list[ErrorDetail]]:
        given = [name for name in ("relative", "absolute") if isinstance(data, Mapping) and data.get(name) is not None]
        if len(given) != 1:
            return {"relative": [ErrorDetail("Give either “relative” or “absolute”.", code="precision.kind")]}
        return {}


class WindowRequest(StrictSerializer):
    """The part of the time that is looked at: all trips that are to depart in it, let finish until the run's end."""

    begin = Number(min_value=0, help_text="Seconds: when the warm-up is over.")
    end = Number(min_value=0, help_text="Seconds; leave time until the run's `end` for trips to finish.")
    interval = Number(allow_null=True, default=None, help_text="Of the traffic per edge: `edges_interval_s`.")

    def further_errors(self, data: Any, errors: dict[str, Any]) -> dict[str, list[ErrorDetail]]:
        if not errors and isinstance(data, Mapping) and data["end"] <= data["begin"]:
            return {"end": [ErrorDetail("The window must end after it begins.", code="window.empty")]}
        return {}


class StudyRequest(StrictSerializer):
    """A study. Only `base` is needed."""

    name = Line(max_length=200, allow_blank=True, default="")
    base = BaseField(help_text="What every run asks for.")
    variants = ShortList(
        child=VariantField(), default=list, max_length=MAX_CELLS,
        help_text="Each has a `name` and what it asks for differently.",
    )  # fmt: skip
    baseline = Text(
        max_length=400, allow_null=True, default=None,
        help_text="The variant or cell that others are compared with; default: the first.",
    )  # fmt: skip
    sweep = serializers.DictField(
        child=ShortList(child=SweptValue(), min_length=1, max_length=MAX_CELLS), default=dict,
        help_text="Name → values: scale, begin, end, step_length or an option. Times the variants it makes the cells.",
    )  # fmt: skip
    seeds = SeedsField(default=lambda: list(range(1, 11)))
    primary_kpis = ShortList(
        child=Choice(choices=CHOICES), default=lambda: list(DEFAULT_PRIMARY), min_length=1,
        max_length=10, help_text="What is tested; all other figures are described.",
    )  # fmt: skip
    relevant_difference = Number(
        min_value=1e-6, max_value=1, default=0.02, help_text="The smallest difference that matters, as a share."
    )
    precision = PrecisionRequest(allow_null=True, default=None)
    window = WindowRequest(allow_null=True, default=None)
    edges = YesNo(default=True, help_text="Traffic per edge of every run, for the map and edges.csv.")
    max_parallel = WholeNumber(min_value=1, max_value=10_000, allow_null=True, default=None)
    max_failed_share = Number(
        min_value=0, max_value=1, default=0.2, help_text="With more failed runs there is no verdict."
    )

    def further_errors(self, data: Any, errors: dict[str, Any]) -> dict[str, list[ErrorDetail]]:
        names = data.get("primary_kpis") if isinstance(data, Mapping) else None
        if "primary_kpis" not in errors and isinstance(names, list) and len(set(names)) < len(names):
            return {"primary_kpis": [ErrorDetail("A figure is named twice.", code="twice")]}
        return {}


def cells_of(wanted: Mapping[str, Any]) -> Expansion:
    """The cells with their bodies read as POST /jobs reads them, and everything that is wrong with them."""
    expansion = expand(wanted["base"], wanted["variants"], wanted["sweep"], wanted["baseline"])
    sound: list[PlannedCell] = []
    for cell in expansion.cells:
        if len(expansion.faults) >= MAX_LISTED:  # an answer has no more, and to find out may take long for each cell
            break
        try:
            body = _with_edges(cell.body) if wanted["edges"] else cell.body
            cell.body = SubmitRequest.read(_with_window(body, wanted["window"]))
        except ValidationError as error:
            expansion.faults += [
                ExpansionFault(getattr(detail, "code", "invalid"), reworded(str(detail)), f"{cell.name}: {field}")
                for field, detail in flat(error.detail)
            ]
        else:
            sound.append(cell)
    expansion.cells = sound
    return expansion


def _with_edges(body: dict[str, Any]) -> dict[str, Any]:
    outputs = body.get("outputs", [])
    if not isinstance(outputs, list) or EDGES in outputs:
        return body
    return {**body, "outputs": [*outputs, EDGES]}


def _with_window(body: dict[str, Any], window: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a base or variant asks for itself stays."""
    if window is None:
        return body
    asked = {"window_begin": window["begin"], "window_end": window["end"], "edges_interval_s": window["interval"]}
    return {**body, **{name: value for name, value in asked.items() if body.get(name) is None}}


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


class ExtendRequest(StrictSerializer):
    """More seeds: so many more, or so many in all. The second may be repeated without harm."""

    seeds = WholeNumber(
        min_value=1, max_value=MAX_SEEDS, allow_null=True, default=None,
        help_text="More; send an Idempotency-Key so that a repeat adds them once.",
    )  # fmt: skip
    seeds_total = WholeNumber(min_value=1, max_value=MAX_SEEDS, allow_null=True, default=None, help_text="In all.")

    def further_errors(self, data: Any, errors: dict[str, Any]) -> dict[str, list[ErrorDetail]]:
        given = [name for name in ("seeds", "seeds_total") if isinstance(data, Mapping) and data.get(name) is not None]
        if not errors and len(given) != 1:
            return {"seeds": [ErrorDetail("Give either “seeds” or “seeds_total”.", code="extend.kind")]}
        return {}


class StudyListQuery(StrictSerializer):
    limit = serializers.IntegerField(min_value=1, max_value=MAX_LIMIT, default=50)
    cursor = CursorField(str, required=False, help_text="From `next` of the page before.")
    status = serializers.ListField(
        child=Choice(choices=Study.Status.choices), required=False, help_text="One or several."
    )


class RunListQuery(StrictSerializer):
    status = serializers.ListField(
        child=Choice(choices=StudyRun.Status.choices), required=False, help_text="One or several."
    )
    cell = serializers.CharField(max_length=400, required=False, help_text="A cell's name.")
    limit = serializers.IntegerField(min_value=1, max_value=1000, default=500)
    after = serializers.IntegerField(min_value=0, required=False, help_text="`next` of the page before.")


class SummaryQuery(StrictSerializer):
    confidence = serializers.FloatField(min_value=0.5, max_value=0.999, default=0.95)
