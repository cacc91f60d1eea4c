"""Shapes of the answers; they describe, and change nothing."""

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from simulations.studies.api.requests import StudyRequest
from simulations.studies.models import Study, StudyRun
from simulations.studies.statistics.comparison import Method, Relevance


@extend_schema_field({"oneOf": [{"type": "number"}, {"type": "boolean"}, {"type": "string"}, {"type": "null"}]})
class AnyValue(serializers.Field):
    """A swept or set value."""


class RunCountsShape(serializers.Serializer):
    planned = serializers.IntegerField(help_text="Rows that wait for a slot.")
    queued = serializers.IntegerField(help_text="Jobs that do not run yet.")
    running = serializers.IntegerField()
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    excluded = serializers.IntegerField(help_text="Ended without figures for the statistics.")
    reused = serializers.IntegerField(help_text="Of those that succeeded: made before by another study.")
    total = serializers.IntegerField()


class CellProgressShape(serializers.Serializer):
    cell = serializers.CharField()
    variant = serializers.CharField()
    point = serializers.DictField(child=AnyValue(), help_text="The sweep's values here.")
    runs = serializers.IntegerField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField(help_text="Cancelled ones among them.")


class FailureShape(serializers.Serializer):
    reason = serializers.CharField()
    cell = serializers.CharField()
    count = serializers.IntegerField()
    message = serializers.CharField(help_text="Of one of them.")
    first_seed = serializers.IntegerField()


class EstimateShape(serializers.Serializer):
    cpu_h = serializers.FloatField(allow_null=True, help_text="Null: no run of such a scenario has ended yet.")
    duration_s = serializers.FloatField(allow_null=True, help_text="Under today's limits, if nothing else runs.")
    from_runs = serializers.IntegerField(help_text="Of your newest runs, those that this comes from.")


class StudyLinksShape(serializers.Serializer):
    self = serializers.CharField()
    runs = serializers.CharField()
    summary = serializers.CharField()
    report = serializers.CharField()
    archive = serializers.CharField()


class StudyRowShape(serializers.Serializer):
    study_id = serializers.UUIDField()
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=Study.Status.choices)
    reason = serializers.ChoiceField(choices=Study.Reason.choices)
    message = serializers.CharField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    seeds = serializers.ListField(child=serializers.IntegerField())
    links = StudyLinksShape()


@extend_schema_serializer(component_name="AcceptedStudy")
class AcceptedStudyShape(StudyRequest):
    """The request with its defaults; `seeds` stands beside it."""

    seeds = None  # type: ignore[assignment]


class StudyShape(StudyRowShape):
    request = AcceptedStudyShape()
    runs = RunCountsShape()
    cells = CellProgressShape(many=True)
    failures = FailureShape(many=True, help_text="By reason and cell, the most frequent first.")
    paired_seeds_complete = serializers.IntegerField(help_text="Seeds that succeeded in every cell.")
    eta_s = serializers.FloatField(allow_null=True, help_text="Seconds until what is planned has ended.")


class SubmittedStudyShape(StudyRowShape):
    cells = serializers.IntegerField()
    runs_total = serializers.IntegerField()
    estimate = EstimateShape()


class DryRunShape(serializers.Serializer):
    """What the study would be."""

    cells = serializers.ListField(child=serializers.CharField(), help_text="Names.")
    baseline = serializers.CharField(help_text="The cell that others are compared with, directly or not.")
    runs_total = serializers.IntegerField()
    estimate = EstimateShape()


@extend_schema_serializer(many=False)
class StudyListShape(serializers.Serializer):
    studies = StudyRowShape(many=True)
    next = serializers.URLField(allow_null=True, help_text="The page after this one.")


class RunShape(serializers.Serializer):
    cell = serializers.CharField()
    seed = serializers.IntegerField()
    status = serializers.ChoiceField(choices=StudyRun.Status.choices)
    reason = serializers.CharField()
    message = serializers.CharField()
    job_id = serializers.UUIDField(allow_null=True)
    tries = serializers.IntegerField(help_text="Jobs made for it.")
    reused = serializers.BooleanField()
    sumo_version = serializers.CharField()
    wall_s = serializers.FloatField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    kpis = serializers.DictField(child=serializers.FloatField(allow_null=True), allow_null=True)


@extend_schema_serializer(many=False)
class RunListShape(serializers.Serializer):
    runs = RunShape(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="`after` of the page after this one.")


class DescriptionShape(serializers.Serializer):
    n = serializers.IntegerField()
    mean = serializers.FloatField(allow_null=True)
    sd = serializers.FloatField(allow_null=True)
    cv = serializers.FloatField(allow_null=True)
    ci = serializers.ListField(child=serializers.FloatField(), allow_null=True)
    half_width_rel = serializers.FloatField(allow_null=True)
    median = serializers.FloatField(allow_null=True)
    min = serializers.FloatField(allow_null=True)
    max = serializers.FloatField(allow_null=True)
    n_needed = serializers.IntegerField(
        allow_null=True,
        help_text="Runs for the precision asked for, else ± 5 %; an absolute one is asked for its KPI only.",
    )
    more_seeds = serializers.IntegerField(allow_null=True)
    note = serializers.CharField(help_text="Why something is null, or a caution.")


class LeftOutShape(serializers.Serializer):
    """Means over the runs of vehicles that no trip mean has in it."""

    unfinished = serializers.FloatField(allow_null=True)
    not_inserted = serializers.FloatField(allow_null=True)


class SettingShape(serializers.Serializer):
    begin = serializers.FloatField(allow_null=True)
    end = serializers.FloatField(allow_null=True)
    step_length = serializers.FloatField(allow_null=True)
    window_begin = serializers.FloatField(required=False)
    window_end = serializers.FloatField(required=False)
    scale = serializers.FloatField(allow_null=True)


class CellSummaryShape(serializers.Serializer):
    cell = serializers.CharField()
    variant = serializers.CharField()
    against = serializers.CharField(allow_null=True)
    setting = SettingShape()
    runs = serializers.IntegerField()
    failed = serializers.IntegerField()
    left_out = LeftOutShape()
    kpis = serializers.DictField(child=DescriptionShape())


class ComparisonShape(serializers.Serializer):
    cell = serializers.CharField()
    base = serializers.CharField()
    kpi = serializers.CharField()
    primary = serializers.BooleanField()
    method = serializers.ChoiceField(choices=[str(method) for method in Method])
    n = serializers.IntegerField()
    difference = serializers.FloatField(allow_null=True)
    relative = serializers.FloatField(allow_null=True)
    ci = serializers.ListField(child=serializers.FloatField(), allow_null=True)
    ci_relative = serializers.ListField(child=serializers.FloatField(), allow_null=True)
    ci_simultaneous = serializers.ListField(child=serializers.FloatField(), allow_null=True)
    p = serializers.FloatField(allow_null=True)
    p_holm = serializers.FloatField(allow_null=True)
    correlation = serializers.FloatField(allow_null=True)
    weak = serializers.BooleanField(help_text="Fewer than five pairs.")
    direction = serializers.ChoiceField(
        choices=["better", "worse", "higher", "lower", "identical", "unclear"], allow_null=True
    )
    relevance = serializers.ChoiceField(choices=[str(each) for each in Relevance], allow_null=True)
    n_needed_to_detect = serializers.IntegerField(allow_null=True)
    sentence = serializers.CharField()


class FlagShape(serializers.Serializer):
    level = serializers.ChoiceField(choices=["yellow", "red"])
    code = serializers.CharField()
    message = serializers.CharField()
    cell = serializers.CharField(allow_null=True)
    seeds = serializers.ListField(child=serializers.IntegerField())


class ExcludedShape(serializers.Serializer):
    cell = serializers.CharField()
    seed = serializers.IntegerField()
    reason = serializers.CharField()
    message = serializers.CharField()


class SeedsShape(serializers.Serializer):
    planned = serializers.ListField(child=serializers.IntegerField())
    paired = serializers.ListField(child=serializers.IntegerField(), help_text="Succeeded in every cell that has any.")
    excluded = ExcludedShape(many=True)


class SummaryShape(serializers.Serializer):
    study_id = serializers.UUIDField()
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=Study.Status.choices)
    final = serializers.BooleanField(help_text="False: from the runs that have ended so far.")
    verdict = serializers.BooleanField(help_text="False: too many runs failed for one.")
    confidence = serializers.FloatField()
    primary_kpis = serializers.ListField(child=serializers.CharField())
    relevant_difference = serializers.FloatField()
    family = serializers.IntegerField(help_text="Comparisons that are tested together.")
    failed_share = serializers.FloatField()
    seeds = SeedsShape()
    sumo_versions = serializers.ListField(child=serializers.CharField())
    cells = CellSummaryShape(many=True)
    comparisons = ComparisonShape(many=True)
    flags = FlagShape(many=True)
    notes = serializers.ListField(child=serializers.CharField())
    method = serializers.ListField(child=serializers.CharField())


class RetriedShape(StudyShape):
    retried = serializers.IntegerField()


class ExtendedShape(StudyShape):
    added = serializers.IntegerField(help_text="Seeds; 0: this was asked for and done before.")
