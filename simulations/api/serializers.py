"""What callers are answered."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import quote

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from simulations.api.shapes import (
    InspectionShape,
    KpisSerializer,
    NetShape,
    OutcomeShape,
    ProblemShape,
    ProgressShape,
    RequestShape,
)
from simulations.api.storage import StorageSerializer, as_bytes, storage_shown
from simulations.models import Artifact, Job, JobEvent, Scenario
from simulations.services.storage import Use
from simulations.sumo.protocol.endings import ENDINGS
from simulations.telling import tell
from simulations.waiting import COUNTED, Line, line_for
from tenants.models import Tenant
from tenants.priority import PriorityClass

RESULTS_SHOWN = tuple(OutcomeShape().fields)


# With what the schema says of each.
REASONS = [
    (row.reason.value, f"{row.sentence or 'With the figures of the case.'} Who can mend it: {row.fault}.")
    for row in ENDINGS.values()
]


class LinksSerializer(serializers.Serializer):
    self = serializers.CharField()
    events = serializers.CharField()
    logs = serializers.CharField()
    results = serializers.CharField()


class JobSerializer(serializers.ModelSerializer[Job]):
    """A job as its tenant sees it. It describes; `jobs_as_json` answers."""

    tenant_id = serializers.CharField(read_only=True)
    reason = serializers.ChoiceField(choices=REASONS, help_text="The status more finely.")
    message = serializers.CharField(help_text="Why it is so, and what to do: for people.")
    silent_since = serializers.DateTimeField(
        allow_null=True, help_text="Since when nobody has looked at the job; null, as it should be: all is well."
    )
    scenario_id = serializers.CharField(allow_null=True)
    scenario_version = serializers.IntegerField(allow_null=True)
    queue_position = serializers.IntegerField(
        allow_null=True,
        help_text=f"1 runs next; {COUNTED + 1} is any place beyond {COUNTED}; null: the job does not wait, or is new.",
    )
    priority_class = serializers.ChoiceField(choices=PriorityClass.choices)
    labels = serializers.DictField(child=serializers.CharField(), help_text="The caller's own names and values.")
    status_as_of = serializers.DateTimeField(allow_null=True, help_text="When the cluster last confirmed the status.")
    request = RequestShape()
    progress = ProgressShape(allow_null=True)
    results = OutcomeShape(allow_null=True, help_text="Once the run has ended.")
    links = LinksSerializer()

    class Meta:
        model = Job
        fields = [
            "job_id", "tenant_id", "status", "reason", "message", "silent_since", "queue_position", "scenario_id",
            "scenario_version", "cpu_request", "memory_gi", "priority_class", "priority", "labels", "submitted_at",
            "started_at", "finished_at", "cancel_requested_at", "status_as_of", "attempt", "disruptions", "exit_code",
            "request", "progress", "results", "links",
        ]  # fmt: skip
        read_only_fields = fields


def jobs_as_json(tenant: Tenant, jobs: Iterable[Job], *, placed: bool = True) -> list[dict[str, Any]]:
    """The tenant's jobs as `JobSerializer` describes them.

    At most one query, for those that wait in line; none, and no place, if not `placed`.
    """
    jobs = list(jobs)
    line = line_for(tenant, jobs) if placed else None
    return [job_as_json(job, line) for job in jobs]


def job_as_json(job: Job, line: Line | None) -> dict[str, Any]:
    """As `JobSerializer` describes it. Plain code, since a serializer takes ten times as long."""
    told = tell(job, line)
    asked, here = job.scenario_data, f"/jobs/{job.job_id}"
    progress = None
    if job.told_progress is not None and job.progress_at is not None:
        progress = {**job.told_progress, "at": moment(job.progress_at)}
    return {
        "job_id": str(job.job_id),
        "tenant_id": job.tenant_id,
        "status": job.status,
        "reason": told.reason,
        "message": told.message,
        "silent_since": moment(told.silent_since),
        "queue_position": line.place(job) if line and job.is_queued else None,
        "scenario_id": asked.get("scenario_id"),
        "scenario_version": asked.get("scenario_version"),
        "cpu_request": job.cpu_request,
        "memory_gi": job.memory_gi,
        "priority_class": PriorityClass.of_rank(job.priority_class).value,
        "priority": job.priority,
        "labels": job.labels,
        "submitted_at": moment(job.submitted_at),
        "started_at": moment(job.started_at),
        "finished_at": moment(job.finished_at),
        "cancel_requested_at": moment(job.cancel_requested_at),
        "status_as_of": moment(job.observed_at),
        "attempt": job.attempt,
        "disruptions": job.disruptions,
        "exit_code": job.exit_code,
        "request": asked,
        "progress": progress,
        "results": job.results and {name: job.results.get(name) for name in RESULTS_SHOWN},
        "links": {"self": here, **{name: f"{here}/{name}" for name in ("events", "logs", "results")}},
    }


def moment(at: datetime | None) -> str | None:
    """As Django REST framework writes it: ISO 8601 in UTC with a Z."""
    return at.isoformat().replace("+00:00", "Z") if at else None


@extend_schema_serializer(many=False)  # an object, although a list's answer
class JobListSerializer(serializers.Serializer):
    jobs = JobSerializer(many=True)
    next = serializers.URLField(allow_null=True, help_text="The page after this one.")


class JobEventSerializer(serializers.ModelSerializer[JobEvent]):
    class Meta:
        model = JobEvent
        fields = ["at", "status", "reason", "message", "attempt"]


class JobEventsSerializer(serializers.Serializer):
    job_id = serializers.UUIDField()
    events = JobEventSerializer(many=True)


class ArtifactSerializer(serializers.ModelSerializer[Artifact]):
    url = serializers.SerializerMethodField()

    class Meta:
        model = Artifact
        fields = ["name", "size_bytes", "sha256", "uploaded_at", "url"]

    def get_url(self, artifact: Artifact) -> str:
        return f"/jobs/{artifact.job_id}/results/{quote(artifact.name)}"


@extend_schema_serializer(many=False)  # an object, although a "list" action answers it
class ResultsSerializer(serializers.Serializer):
    job_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Job.Status.choices)
    reason = serializers.CharField()
    attempt = serializers.IntegerField()
    complete = serializers.BooleanField(help_text="False: the run was cut short, or has not ended.")
    kpis = KpisSerializer()
    warnings = ProblemShape(many=True)
    errors: Any = ProblemShape(many=True)
    files = ArtifactSerializer(many=True)


class VersionSerializer(serializers.ModelSerializer[Scenario]):
    class Meta:
        model = Scenario
        fields = ["version", "sha256", "size_bytes", "config", "uploaded_at"]


class ScenarioSerializer(VersionSerializer):
    """A version with what the upload's check found inside: configurations, network, demand, times, inputs."""

    shared = serializers.SerializerMethodField()
    inspection = serializers.SerializerMethodField()

    class Meta(VersionSerializer.Meta):
        fields = ["scenario_id", "shared", *VersionSerializer.Meta.fields, "inspection"]

    def get_shared(self, scenario: Scenario) -> bool:
        return scenario.tenant_id is None

    @extend_schema_field(InspectionShape)
    def get_inspection(self, scenario: Scenario) -> dict[str, Any]:
        return scenario.inspection


class UploadedScenarioSerializer(ScenarioSerializer):
    """The answer to an upload. It describes; `uploaded_as_json` answers."""

    storage = StorageSerializer()

    class Meta(ScenarioSerializer.Meta):
        fields = [*ScenarioSerializer.Meta.fields, "storage"]


def uploaded_as_json(scenario: Scenario, uses: Iterable[Use]) -> dict[str, Any]:
    """As `UploadedScenarioSerializer` describes it; plain code, as for jobs."""
    kept = storage_shown(uses)
    return {
        "scenario_id": scenario.scenario_id,
        "shared": scenario.tenant_id is None,
        "version": scenario.version,
        "sha256": scenario.sha256,
        "size_bytes": scenario.size_bytes,
        "config": scenario.config,
        "uploaded_at": moment(scenario.uploaded_at),
        "inspection": scenario.inspection,
        "storage": {name: as_bytes(use) if isinstance(use, Use) else use for name, use in kept.items()},
    }


class CheckedScenarioSerializer(serializers.Serializer):
    """The answer to a dry run: what a version of these bytes would be."""

    config = serializers.CharField()
    size_bytes = serializers.IntegerField()
    sha256 = serializers.CharField()
    inspection = InspectionShape()


class ScenarioRowSerializer(ScenarioSerializer):
    """As in a list: without the details of the inspection."""

    begin = serializers.FloatField(source="inspection.begin", default=None, allow_null=True, help_text="Seconds.")
    end = serializers.FloatField(source="inspection.end", default=None, allow_null=True, help_text="Seconds.")
    net = serializers.SerializerMethodField()

    class Meta(ScenarioSerializer.Meta):
        fields = [name for name in ScenarioSerializer.Meta.fields if name != "inspection"] + ["begin", "end", "net"]

    @extend_schema_field(NetShape(allow_null=True))
    def get_net(self, scenario: Scenario) -> dict[str, Any] | None:
        return scenario.inspection.get("net")


@extend_schema_serializer(many=False)  # an object, although a list's answer
class ScenarioListSerializer(serializers.Serializer):
    scenarios = ScenarioRowSerializer(many=True)
    next = serializers.URLField(allow_null=True, help_text="The page after this one.")


class ScenarioDetailSerializer(ScenarioSerializer):
    versions = VersionSerializer(many=True, help_text="The newest 200.")

    class Meta(ScenarioSerializer.Meta):
        fields = [*ScenarioSerializer.Meta.fields, "versions"]
