"""What callers may ask of a map's data, field by field."""

from typing import Any

from django.http import QueryDict
from rest_framework import serializers

from simulations.api.fields import Choice, StrictSerializer
from simulations.edges.metrics import METRICS
from simulations.sumo.protocol.edge_file import MAX_INTERVALS


class EdgesQuery(StrictSerializer):
    metric = Choice(choices=[(name, metric.label) for name, metric in METRICS.items()], default="speed_ratio")
    interval = serializers.IntegerField(
        min_value=0, max_value=MAX_INTERVALS - 1, required=False, help_text="Counted from 0; default: all together."
    )
    per = Choice(choices=["edge", "km"], default="edge", help_text="km: so that long edges do not win by their length.")


CELL = "A cell's name; default: the first."


class StudyEdgesQuery(EdgesQuery):
    cell = serializers.CharField(max_length=400, required=False, help_text=CELL)
    minus = serializers.CharField(
        max_length=400,
        required=False,
        help_text="Another cell, to have the difference. Tested where it is the one that `cell` is compared with.",
    )


class CellQuery(StrictSerializer):
    cell = serializers.CharField(max_length=400, required=False, help_text=CELL)


class CurveQuery(StrictSerializer):
    edge = serializers.CharField(max_length=500, help_text="An edge's id in the network.", trim_whitespace=False)


class StudyCurveQuery(CurveQuery):
    cell = serializers.CharField(max_length=400, required=False, help_text=CELL)


def read(given: QueryDict, query: type[StrictSerializer]) -> dict[str, Any]:
    """The query string of a page's request. Raises ValidationError."""
    serializer = query(data=given.dict())
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data
