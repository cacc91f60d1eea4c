"""What is asked and answered of webhooks."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from simulations.api.fields import Choice, Moment, ShortList, StrictSerializer, Text, YesNo
from simulations.api.pagination import CursorField
from simulations.api.requests import PageQuery
from simulations.models import Notice
from simulations.webhooks.models import Delivery
from tenants.egress.destinations import MAX_URL, NotAllowed, parse

KINDS = [(kind.value, kind.label) for kind in Notice.Kind if kind != Notice.Kind.TEST]


class EndpointRequest(StrictSerializer):
    """A new endpoint."""

    url = Text(max_length=MAX_URL, help_text="https://…, a public address, port 443.")
    events = ShortList(
        child=Choice(choices=KINDS),
        default=list,
        max_length=len(KINDS),
        help_text="What it wants to be told; empty: everything.",
    )

    def validate_url(self, value: str) -> str:
        try:
            parse(value)
        except NotAllowed as error:
            raise serializers.ValidationError([ErrorDetail(str(error), code="not_allowed")]) from None
        return value


class EndpointChange(EndpointRequest):
    """Only what is named changes."""

    url = Text(max_length=MAX_URL, required=False)
    events = ShortList(child=Choice(choices=KINDS), required=False, max_length=len(KINDS))
    active = YesNo(required=False, help_text="true: call it again, with what waits; false: let it wait.")


class EndpointSerializer(serializers.Serializer):
    endpoint_id = serializers.UUIDField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    active = serializers.BooleanField(source="is_active")
    disabled_because = serializers.CharField(
        allow_blank=True, help_text="Empty, or why the service stopped calling it."
    )
    failing_since = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class EndpointWithSecretSerializer(EndpointSerializer):
    secret = serializers.CharField(help_text="To check signatures with; shown here only.")


@extend_schema_serializer(many=False)
class EndpointsSerializer(serializers.Serializer):
    endpoints = EndpointSerializer(many=True)


class DeliverySerializer(serializers.Serializer):
    message_id = serializers.SerializerMethodField(help_text="The header webhook-id, the same at each try.")
    event = serializers.CharField(source="notice.kind")
    happened_at = serializers.DateTimeField(source="notice.at")
    job_id = serializers.SerializerMethodField()
    state = serializers.ChoiceField(choices=Delivery.State.choices)
    tries = serializers.IntegerField()
    next_try_at = serializers.SerializerMethodField(help_text="Null: none follows.")
    last_tried_at = serializers.DateTimeField(allow_null=True)
    last_status = serializers.IntegerField(allow_null=True, help_text="HTTP status of the last answer.")
    last_problem = serializers.CharField(allow_blank=True)

    def get_message_id(self, delivery: Delivery) -> str:
        return f"msg_{delivery.notice_id.hex}"

    def get_job_id(self, delivery: Delivery) -> str | None:
        found: Any = delivery.notice.data.get("job_id")
        return found

    def get_next_try_at(self, delivery: Delivery) -> str | None:
        waits = delivery.state == Delivery.State.PENDING
        return delivery.next_try_at.isoformat() if waits else None


class DeliveriesSerializer(serializers.Serializer):
    deliveries = DeliverySerializer(many=True)
    next = serializers.CharField(allow_null=True, help_text="The address of the next page; null: this is the last.")


class DeliveriesQuery(PageQuery):
    cursor = CursorField(int, required=False, help_text="From `next` of the page before.")


class ReplayRequest(StrictSerializer):
    since = Moment(help_text="ISO 8601: all that happened from then on is told again.")


class ReplaySerializer(serializers.Serializer):
    queued = serializers.IntegerField()
    more = serializers.BooleanField(help_text="There may be more: ask again, from the last one's time on.")
