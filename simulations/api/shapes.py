"""Shapes of what is stored as JSON and answered as it is. They describe; they neither check nor change anything."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from simulations.api.requests import ProgressRequest, SubmitRequest
from simulations.sumo.protocol.kpis import KPIS, Kpi


class ProblemShape(serializers.Serializer):
    """One thing that is wrong, or worth knowing."""

    code = serializers.CharField(help_text="Stable; for programs.")
    message = serializers.CharField(help_text="For people.")
    where = serializers.CharField(
        required=False, allow_null=True, help_text="The file or field that it is about: `labels.day`, `outputs[0]`."
    )
    hint = serializers.CharField(required=False, help_text="What to do next.")


@extend_schema_serializer(component_name="AcceptedRequest")
class RequestShape(SubmitRequest):
    """A request with its defaults, version and seed; posted again, it asks for the same run."""


@extend_schema_serializer(component_name="Progress")
class ProgressShape(ProgressRequest):
    """The run's last report, from before its end; `percent` is 100 and `eta_s` 0 once it has SUCCEEDED."""

    at = serializers.DateTimeField()


def _figure(kpi: Kpi) -> serializers.Field:
    kind = serializers.IntegerField if kpi.is_whole else serializers.FloatField
    return kind(allow_null=True, default=None, help_text=kpi.help)


@extend_schema_serializer(component_name="Kpis")
class KpisSerializer(serializers.Serializer):
    """What a traffic engineer reads first. Null: not measured. Means are over finished trips."""

    def get_fields(self) -> dict[str, serializers.Field]:
        return {kpi.name: _figure(kpi) for kpi in KPIS.values()}


class OutcomeShape(serializers.Serializer):
    """What the run said of itself as it ended. Null: it did not say."""

    outcome = serializers.CharField(allow_null=True, help_text="Such as succeeded, sumo_failed, time_limit.")
    complete = serializers.BooleanField(allow_null=True, help_text="False: the run was cut short.")
    kpis = KpisSerializer(allow_null=True)
    errors: Any = ProblemShape(many=True, allow_null=True, help_text="The first few.")
    warnings_total = serializers.IntegerField(allow_null=True)
    sim_begin = serializers.FloatField(allow_null=True, help_text="Seconds of simulated time.")
    sim_end = serializers.FloatField(allow_null=True, help_text="Seconds of simulated time.")
    wall_s = serializers.FloatField(allow_null=True, help_text="Seconds that SUMO ran.")


class InputShape(serializers.Serializer):
    """A file that a configuration names."""

    path = serializers.CharField()
    kind = serializers.CharField(help_text="net, routes, additional, …")
    bytes = serializers.IntegerField()


class NetShape(serializers.Serializer):
    """What the network has, as far as it was counted."""

    edges = serializers.IntegerField()
    junctions = serializers.IntegerField()
    lanes = serializers.IntegerField()
    traffic_lights = serializers.IntegerField()
    complete = serializers.BooleanField(help_text="False: counting stopped at its bound.")


class DemandShape(serializers.Serializer):
    """What the demand has, as far as it was counted."""

    vehicles = serializers.IntegerField()
    flows = serializers.IntegerField(help_text="Of vehicles, persons or containers.")
    persons = serializers.IntegerField(help_text="Containers among them.")
    complete = serializers.BooleanField(help_text="False: counting stopped at its bound.")


class FoundShape(serializers.Serializer):
    """Common to a configuration and to the scenario that chose it."""

    problems = ProblemShape(many=True)
    warnings = ProblemShape(many=True)
    begin = serializers.FloatField(allow_null=True, help_text="Seconds.")
    end = serializers.FloatField(allow_null=True, help_text="Seconds; null: until all vehicles have left.")
    step_length = serializers.FloatField(allow_null=True, help_text="Seconds.")
    inputs = InputShape(many=True)
    net = NetShape(allow_null=True)
    demand = DemandShape(allow_null=True)


class ConfigShape(FoundShape):
    """What one configuration would run."""

    path = serializers.CharField()
    seed = serializers.IntegerField(allow_null=True)


class InspectionShape(FoundShape):
    """What the upload's check found; times, inputs, network and demand are those of the chosen configuration."""

    config = serializers.CharField(allow_null=True)
    config_candidates = serializers.ListField(child=serializers.CharField())
    files = serializers.IntegerField()
    unpacked_bytes = serializers.IntegerField()
    configs = serializers.DictField(child=ConfigShape(), help_text="By path.")
