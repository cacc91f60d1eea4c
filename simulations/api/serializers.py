"""What callers are answered."""

from functools import cache
from typing import Any
from urllib.parse import quote

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from simulations.api.storage import StorageSerializer
from simulations.models import Artifact, Job, JobEvent, Scenario

OBJECT = {"type": "object", "additionalProperties": True}
NULLABLE_OBJECT = {"type": ["object", "null"], "additionalProperties": True}
RESULTS_SHOWN = ("outcome", "complete", "kpis", "errors", "warnings_total", "sim_begin", "sim_end", "wall_s")


class LinksSerializer(serializers.Serializer):
    self = serializers.CharField()
    events = serializers.CharField()
    logs = serializers.CharField()
    results = serializers.CharField()


class JobSerializer(serializers.ModelSerializer[Job]):
    """A job as its tenant sees it. `queue_position` needs `JobQuerySet.with_queue_position`."""

    tenant_id = serializers.CharField(read_only=True)
    scenario_id = serializers.CharField(source="scenario_data.scenario_id", default=None, read_only=True)
    scenario_version = serializers.IntegerField(source="scenario_data.scenario_version", default=None, read_only=True)
    queue_position = serializers.IntegerField(
        read_only=True, default=None, allow_null=True, help_text="1 runs next; null: the job does not wait, or is new."
    )
    status_as_of = serializers.DateTimeField(
        source="observed_at", read_only=True, allow_null=True, help_text="When the cluster last confirmed the status."
    )
    request = serializers.SerializerMethodField(help_text="The whole request as accepted, with defaults and seed.")
    progress = serializers.SerializerMethodField(help_text="The run's last report; `at` says when.")
    results = serializers.SerializerMethodField(help_text="Outcome and KPIs, once the run has ended.")
    links = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields = [
            "job_id", "tenant_id", "status", "reason", "message", "queue_position", "scenario_id", "scenario_version",
            "cpu_request", "memory_gi", "priority", "labels", "submitted_at", "started_at", "finished_at",
            "cancel_requested_at", "status_as_of", "attempt", "disruptions", "exit_code",
            "request", "progress", "results", "links",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(OBJECT)
    def get_request(self, job: Job) -> dict[str, Any]:
        return job.scenario_data

    @extend_schema_field(NULLABLE_OBJECT)
    def get_progress(self, job: Job) -> dict[str, Any] | None:
        if job.progress is None or job.progress_at is None:
            return None
        return {**job.progress, "at": serializers.DateTimeField().to_representation(job.progress_at)}

    @extend_schema_field(NULLABLE_OBJECT)
    def get_results(self, job: Job) -> dict[str, Any] | None:
        return job.results and {name: job.results.get(name) for name in RESULTS_SHOWN}

    @extend_schema_field(LinksSerializer)
    def get_links(self, job: Job) -> dict[str, str]:
        here = f"/jobs/{job.job_id}"
        return {"self": here, **{name: f"{here}/{name}" for name in ("events", "logs", "results")}}


@cache
def _job_serializer() -> JobSerializer:
    return JobSerializer()


def job_as_json(job: Job) -> dict[str, Any]:
    """`JobSerializer(job).data` with one serializer for all: making its fields takes longer than using them."""
    return _job_serializer().to_representation(job)


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


def _figure(help_text: str, kind: type[serializers.Field] = serializers.FloatField) -> serializers.Field:
    return kind(allow_null=True, default=None, help_text=help_text)


class KpisSerializer(serializers.Serializer):
    """What a traffic engineer reads first. Null: not measured. Means are over finished trips."""

    vehicles_inserted = _figure("Vehicles that entered the network.", serializers.IntegerField)
    vehicles_arrived = _figure("Vehicles that reached their destination.", serializers.IntegerField)
    vehicles_running_at_end = _figure("Vehicles still under way at the end.", serializers.IntegerField)
    vehicles_waiting_at_end = _figure("Vehicles that had found no place to enter by the end.", serializers.IntegerField)
    trips_finished = _figure("Trips that the means are over.", serializers.IntegerField)
    mean_travel_time_s = _figure("Seconds.")
    p95_travel_time_s = _figure("Seconds; 95 % of finished trips took less.")
    mean_time_loss_s = _figure("Seconds lost by driving slower than wished.")
    mean_waiting_time_s = _figure("Seconds standing.")
    mean_depart_delay_s = _figure("Seconds waited for a place to enter.")
    mean_speed_ms = _figure("Metres per second.")
    mean_route_length_m = _figure("Metres.")
    total_travel_time_s = _figure("Seconds, all finished trips together.")
    teleports = _figure("Vehicles that SUMO moved out of a deadlock.", serializers.IntegerField)
    collisions = _figure("Collisions.", serializers.IntegerField)
    emergency_braking = _figure("Emergency brakings.", serializers.IntegerField)
    persons_loaded = _figure("Persons that the demand has, as far as it was loaded.", serializers.IntegerField)
    persons_running_at_end = _figure("Persons still under way at the end.", serializers.IntegerField)
    walks_finished = _figure("Walks that ended.", serializers.IntegerField)
    mean_walk_time_s = _figure("Seconds.")
    rides_finished = _figure("Rides that ended.", serializers.IntegerField)
    co2_kg = _figure("Kilograms; only with emissions.")
    nox_g = _figure("Grams; only with emissions.")
    pmx_g = _figure("Grams; only with emissions.")
    fuel_kg = _figure("Kilograms; only with emissions.")


class ResultsSerializer(serializers.Serializer):
    job_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Job.Status.choices)
    reason = serializers.CharField()
    attempt = serializers.IntegerField()
    complete = serializers.BooleanField(help_text="False: the run was cut short, or has not ended.")
    kpis = KpisSerializer()
    warnings = serializers.ListField(child=serializers.DictField())
    errors = serializers.ListField(child=serializers.DictField())  # type: ignore[assignment]
    files = ArtifactSerializer(many=True)


class VersionSerializer(serializers.ModelSerializer[Scenario]):
    class Meta:
        model = Scenario
        fields = ["version", "sha256", "size_bytes", "config", "uploaded_at"]


class ScenarioSerializer(VersionSerializer):
    """A version with what the upload's check found inside: configurations, network, demand, times, inputs."""

    shared = serializers.SerializerMethodField()
    inspection = serializers.JSONField(read_only=True)

    class Meta(VersionSerializer.Meta):
        fields = ["scenario_id", "shared", *VersionSerializer.Meta.fields, "inspection"]

    def get_shared(self, scenario: Scenario) -> bool:
        return scenario.tenant_id is None


class UploadedScenarioSerializer(ScenarioSerializer):
    """The answer to an upload. Needs the attribute `storage`."""

    storage = StorageSerializer()

    class Meta(ScenarioSerializer.Meta):
        fields = [*ScenarioSerializer.Meta.fields, "storage"]


class ScenarioRowSerializer(ScenarioSerializer):
    """As in a list: without the details of the inspection."""

    begin = serializers.FloatField(source="inspection.begin", default=None, allow_null=True, help_text="Seconds.")
    end = serializers.FloatField(source="inspection.end", default=None, allow_null=True, help_text="Seconds.")
    net = serializers.JSONField(source="inspection.net", default=None, allow_null=True)

    class Meta(ScenarioSerializer.Meta):
        fields = [name for name in ScenarioSerializer.Meta.fields if name != "inspection"] + ["begin", "end", "net"]


@extend_schema_serializer(many=False)  # an object, although a list's answer
class ScenarioListSerializer(serializers.Serializer):
    scenarios = ScenarioRowSerializer(many=True)
    next = serializers.URLField(allow_null=True, help_text="The page after this one.")


class ScenarioDetailSerializer(ScenarioSerializer):
    versions = VersionSerializer(many=True, help_text="The newest 200.")

    class Meta(ScenarioSerializer.Meta):
        fields = [*ScenarioSerializer.Meta.fields, "versions"]
