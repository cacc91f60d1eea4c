"""What callers may send, field by field."""

import re
import uuid
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from simulations.api.fields import Choice, Line, Moment, Number, ShortList, StrictSerializer, Text, WholeNumber, YesNo
from simulations.api.pagination import MAX_LIMIT, CursorField
from simulations.models import Job
from simulations.services.scenarios import SCENARIO_ID
from simulations.sumo.inputs.options import ALLOWED, ALWAYS_WRITTEN, OUTPUTS, OWN_OUTPUTS, check_request
from simulations.sumo.protocol.description import EDGES_INTERVAL_S
from tenants.priority import PriorityClass

LABEL_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?")
MAX_LABELS = 20
MAX_REMOVE = 32_000  # characters
MOST = 10**12  # in a progress record: far beyond any simulation, and short enough to be shown
CHECKED_BY_SUMO_RULES = (
    "options",
    "outputs",
    "begin",
    "end",
    "step_length",
    "scale",
    "seed",
    "edges_interval_s",
    "window_begin",
    "window_end",
)


class ScenarioIdField(serializers.RegexField):
    """A scenario's name: letters, digits, `.`, `_` and `-`, 1 to 64 characters."""

    def __init__(self, **kwargs: Any) -> None:
        message = "Use 1 to 64 letters, digits, dots, underscores and hyphens, beginning with a letter or digit."
        super().__init__(
            rf"^{SCENARIO_ID.pattern}\Z", trim_whitespace=False, error_messages={"invalid": message}, **kwargs
        )

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class LabelsField(serializers.DictField):
    """Up to 20 names of the caller's own with short texts."""

    child = Line(max_length=100, allow_blank=True)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, Mapping):
            if len(data) > MAX_LABELS:
                raise serializers.ValidationError(f"At most {MAX_LABELS} labels.", code="too_many")
            if bad := [name for name in data if not LABEL_NAME.fullmatch(name)]:
                rule = "1 to 63 letters, digits and ._/- with a letter or digit at both ends"
                raise serializers.ValidationError(f"Label names are {rule}: not {bad[0][:64]!r}.", code="bad_name")
        return super().to_internal_value(data)


class Sha256Field(serializers.RegexField):
    """Of a scenario's zip, in hex."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            r"^[0-9a-f]{64}\Z", error_messages={"invalid": "Must be 64 hex digits in lower case."}, **kwargs
        )

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field(
    {
        "type": "array",
        "maxItems": 50,
        "items": {"type": "string", "enum": [*sorted(ALWAYS_WRITTEN), *OUTPUTS, *OWN_OUTPUTS]},
        "description": "Further outputs beside those of every job: "
        f"{', '.join(sorted(ALWAYS_WRITTEN))}. "
        + " ".join(f"{name}: {output.help}" for name, output in OUTPUTS.items())
        + "".join(f" {name}: {help}" for name, help in OWN_OUTPUTS.items()),
    }
)
class OutputsField(ShortList):
    """Checked by `check_request`. What every job writes may be spelled out; it is the same request without."""

    def to_internal_value(self, data: Any) -> list[Any]:
        return [output for output in super().to_internal_value(data) if output not in list(ALWAYS_WRITTEN)]


class SubmitRequest(StrictSerializer):
    """A job. Only `scenario_id` is needed."""

    scenario_id = ScenarioIdField(help_text="A scenario of yours, or a shared one.")
    scenario_version = WholeNumber(
        min_value=1, max_value=2**31 - 1, allow_null=True, default=None, help_text="Default: the newest."
    )
    sha256 = Sha256Field(
        allow_null=True, default=None, help_text="Only a version with these very bytes; default: whatever it holds."
    )
    cpu_request = WholeNumber(min_value=1, max_value=10_000, default=1, help_text="CPUs; SUMO uses one core.")
    memory_gi = WholeNumber(min_value=1, max_value=100_000, default=1, help_text="Gi of memory.")
    config = Text(
        max_length=500,
        trim_whitespace=False,  # file names may have it
        allow_null=True,
        default=None,
        help_text="Path of the .sumocfg; default: the one chosen at upload.",
    )
    seed = WholeNumber(
        min_value=0,
        max_value=2**31 - 1,
        allow_null=True,
        default=None,
        help_text="Default: the configuration's own, else one is drawn; told in `request`.",
    )
    begin = Number(allow_null=True, default=None, help_text="Seconds; default: the scenario's own.")
    end = Number(allow_null=True, default=None, help_text="Seconds; default: the scenario's own.")
    step_length = Number(allow_null=True, default=None, help_text="Seconds.")
    scale = Number(allow_null=True, default=None, help_text="Multiplies the demand.")
    options = serializers.DictField(
        default=dict, help_text=f"SUMO options by long name. Allowed: {', '.join(ALLOWED)}."
    )
    outputs = OutputsField(default=list, max_length=50)
    emissions = YesNo(
        default=False,
        help_text="Compute emissions (about 40 % slower); those of vehicles under way at the end count, so that "
        "`tripinfo` lists these too.",
    )
    edges_interval_s = Number(
        allow_null=True,
        default=None,
        help_text=f"Of the output “edges”, 60 to 86400 seconds; default: {EDGES_INTERVAL_S:g}.",
    )
    window_begin = Number(
        allow_null=True, default=None,
        help_text="Figures of trips are over those that are to depart from this second on; default: all.",
    )  # fmt: skip
    window_end = Number(
        allow_null=True, default=None,
        help_text="… and before this one; they are let finish until `end`.",
    )  # fmt: skip
    time_limit_s = WholeNumber(min_value=1, allow_null=True, default=None, help_text="Wall clock seconds.")
    priority_class = Choice(
        choices=PriorityClass.choices,
        default=PriorityClass.NORMAL.value,
        help_text="Comes before `priority` among your jobs; a low one counts half against your share of the cluster.",
    )
    priority = WholeNumber(
        min_value=-100, max_value=100, default=0, help_text="Higher runs first among your jobs of the same class."
    )
    labels = LabelsField(default=dict, help_text="Your own names and values, to find jobs by.")

    def validate_time_limit_s(self, value: int | None) -> int | None:
        if value is not None and value > settings.JOB_MAX_TIME_LIMIT_S:
            raise serializers.ValidationError(f"At most {settings.JOB_MAX_TIME_LIMIT_S} seconds.", code="max_value")
        return value

    def further_errors(self, data: Any, errors: dict[str, Any]) -> dict[str, list[ErrorDetail]]:
        given = {
            name: data[name] for name in CHECKED_BY_SUMO_RULES if name not in errors and data.get(name) is not None
        }
        found: dict[str, list[ErrorDetail]] = {}
        for problem in check_request(**given):
            sentence = f"{problem.message} {problem.hint}" if problem.hint else problem.message
            found.setdefault(problem.where or "options", []).append(ErrorDetail(sentence, code=problem.code))
        return found


class UploadRequest(StrictSerializer):
    """A scenario as multipart/form-data."""

    scenario_id = ScenarioIdField(help_text="Its name; the same name again makes the next version.")
    file = serializers.FileField(help_text="A zip with the .sumocfg and everything it needs.")
    config = serializers.CharField(
        max_length=500, required=False, help_text="Path of the .sumocfg inside, if there are several."
    )


class OverlayRequest(StrictSerializer):
    """What a version differs in from another one, as multipart/form-data: a zip, or `remove`, or both."""

    file = serializers.FileField(
        required=False, help_text="A zip of what is new or changed, each file at its path in the scenario."
    )
    remove = serializers.CharField(
        max_length=MAX_REMOVE, required=False, trim_whitespace=False, help_text="Paths that go, one a line."
    )
    base_version = serializers.IntegerField(
        min_value=1, max_value=2**31 - 1, required=False, help_text="Default: the newest."
    )
    save_as = ScenarioIdField(
        required=False, help_text="The scenario that the version becomes one of; default: the same as the base's."
    )
    config = serializers.CharField(
        max_length=500, required=False, help_text="Path of the .sumocfg inside; default: the base's."
    )

    def further_errors(self, data: Any, errors: dict[str, Any]) -> dict[str, list[ErrorDetail]]:
        if not errors and isinstance(data, Mapping) and not (data.get("file") or data.get("remove")):
            return {"file": [ErrorDetail("Give files that change, or paths that go.", code="overlay.empty")]}
        return {}


class ProgressNumber(Number):
    """A number of a progress record."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=-MOST, max_value=MOST, **kwargs)


class ProgressRequest(serializers.Serializer):
    """The runner's last progress record."""

    sim_time = ProgressNumber()
    percent = Number(allow_null=True, default=None, min_value=0, max_value=100)
    running = WholeNumber(min_value=0, max_value=MOST)
    halting = WholeNumber(min_value=0, max_value=MOST, default=0)
    waiting = WholeNumber(min_value=0, max_value=MOST, default=0)
    inserted = WholeNumber(min_value=0, max_value=MOST, default=0)
    arrived = WholeNumber(min_value=0, max_value=MOST, default=0)
    teleports = WholeNumber(min_value=0, max_value=MOST, default=0)
    mean_speed = ProgressNumber(allow_null=True, default=None)
    rtf = ProgressNumber(allow_null=True, default=None)
    eta_s = ProgressNumber(allow_null=True, default=None)
    trail = serializers.ListField(
        child=serializers.ListField(child=ProgressNumber(), min_length=3, max_length=3),
        max_length=64,
        required=False,
        help_text="The run so far: simulated time, running and halting vehicles.",
    )


class VersionQuery(StrictSerializer):
    version = serializers.IntegerField(
        min_value=1, max_value=2**31 - 1, required=False, help_text="Default: the newest."
    )


class DryRunQuery(StrictSerializer):
    dry_run = serializers.BooleanField(default=False, help_text="Only tell what it would be; nothing is kept.")


class PageQuery(StrictSerializer):
    """What every list takes."""

    limit = serializers.IntegerField(min_value=1, max_value=MAX_LIMIT, default=50)


class ScenarioListQuery(PageQuery):
    cursor = CursorField(int, required=False, help_text="From `next` of the page before.")


class JobQuery(StrictSerializer):
    """Of GET /jobs/{job_id}."""

    wait = serializers.IntegerField(
        min_value=0, max_value=60, default=0, help_text="Seconds; 0 answers at once. An ended job always does."
    )


class JobListQuery(PageQuery):
    """Filters of GET /jobs; all must hold."""

    cursor = CursorField(uuid.UUID, required=False, help_text="From `next` of the page before.")
    status = serializers.ListField(
        child=Choice(choices=Job.Status.choices), required=False, help_text="One or several."
    )
    scenario_id = ScenarioIdField(required=False)
    label = serializers.ListField(  # type: ignore[assignment]
        child=serializers.RegexField(
            r"^[^:\0]{1,63}:[^\0]{0,100}\Z", error_messages={"invalid": "Write a label as name:value."}
        ),
        max_length=MAX_LABELS,
        required=False,
        help_text="`name:value`, one or several.",
    )
    submitted_since = Moment(required=False, help_text="ISO 8601; from this moment on.")
    submitted_until = Moment(required=False, help_text="ISO 8601; before this moment.")
