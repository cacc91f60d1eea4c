"""Shapes of the answers; they describe, and change nothing."""

from rest_framework import serializers

from simulations.edges.metrics import METRICS


class NetworkShape(serializers.Serializer):
    """See docs/edges.md."""

    v = serializers.IntegerField()
    edge_order = serializers.CharField(help_text="Edge data with the same has its values in the order of `ids`.")
    unit_m = serializers.FloatField(help_text="Metres of a unit of `origin`, `size`, `shape` and `signals`.")
    origin = serializers.ListField(child=serializers.IntegerField(), help_text="Least x and y.")
    size = serializers.ListField(child=serializers.IntegerField())
    ids = serializers.ListField(child=serializers.CharField())
    lanes = serializers.ListField(child=serializers.IntegerField())
    limit_ms = serializers.ListField(child=serializers.FloatField())
    length_m = serializers.ListField(child=serializers.FloatField())
    points = serializers.ListField(child=serializers.IntegerField(), help_text="How many points each edge has.")
    shape = serializers.ListField(
        child=serializers.IntegerField(), help_text="x, y, x, y, …, each as its difference to the point before."
    )
    signals = serializers.ListField(child=serializers.IntegerField(), help_text="Traffic lights, in the same way.")


class MetricShape(serializers.Serializer):
    metric = serializers.ChoiceField(choices=list(METRICS))
    label = serializers.CharField()  # type: ignore[assignment]
    unit = serializers.CharField(allow_blank=True)
    better = serializers.IntegerField(help_text="Where an improvement goes: 1 up, -1 down, 0 neither.")
    per_km = serializers.BooleanField()


class KnownMetricShape(MetricShape):
    grows = serializers.BooleanField(help_text="With the length of an edge: may be asked for per km.")


class IntervalsField(serializers.ListField):
    def __init__(self, **kwargs: object) -> None:
        super().__init__(child=serializers.ListField(child=serializers.FloatField()), help_text="Begin and end, s.")


class EdgesShape(MetricShape):
    metrics = KnownMetricShape(many=True, help_text="What may be asked for.")
    edge_order = serializers.CharField()
    intervals = IntervalsField()
    interval = serializers.IntegerField(allow_null=True)
    values = serializers.ListField(
        child=serializers.FloatField(allow_null=True), help_text="In the network's order; null: no traffic."
    )


class StudyEdgesShape(EdgesShape):
    cell = serializers.CharField()
    minus = serializers.CharField(allow_null=True, help_text="The cell whose means were taken away.")
    runs = serializers.IntegerField(help_text="That the means are of.")
    base = serializers.ListField(
        child=serializers.FloatField(allow_null=True), allow_null=True, help_text="The means of `minus`."
    )
    pairs = serializers.IntegerField(allow_null=True, help_text="Seeds that both cells have; null: not paired.")
    significant = serializers.ListField(
        child=serializers.BooleanField(),
        allow_null=True,
        help_text="A paired t test each, Benjamini-Hochberg at 5 % over all edges; null: nothing was tested.",
    )


class CurveShape(serializers.Serializer):
    edge = serializers.CharField()
    length_m = serializers.FloatField(allow_null=True)
    limit_kmh = serializers.FloatField(allow_null=True)
    intervals = IntervalsField()
    series = serializers.DictField(
        child=serializers.ListField(child=serializers.FloatField(allow_null=True)), help_text="By metric."
    )
