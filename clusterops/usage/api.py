"""`/usage` for a tenant, `/admin/usage` for all of them."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clusterops.usage import counting
from clusterops.usage.models import PodRunQuerySet
from simulations.api.callers import query, tenant_of
from simulations.api.fields import Choice, StrictSerializer
from tenants.authentication import ApiKeyAuthentication, StaffSessionAuthentication
from tenants.permissions import IsAdmin

MAX_DAYS = 366
LABEL = r"^[A-Za-z0-9_.-]{1,63}\Z"
ZONE = "A day of the billing time zone"


class UsageQuery(StrictSerializer):
    from_ = serializers.DateField(required=False, help_text=f"{ZONE}; default: the first of this month.")
    to = serializers.DateField(required=False, help_text="The first day after the period; default: a month later.")
    group_by = Choice(choices=[name for name in counting.GROUPINGS if name != "tenant"], default="day")
    label = serializers.RegexField(  # type: ignore[assignment]
        LABEL, required=False, help_text="For group_by=label: the label's name."
    )

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()  # `from` is no name in Python
        return {"from" if name == "from_" else name: each for name, each in fields.items()}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        this_month = counting.Period.this_month()
        since = attrs.get("from", this_month.since)
        try:
            until = attrs.get("to") or counting.Period.month(since.year, since.month).until
            whole = 0 < (until - since).days <= MAX_DAYS and since.year > 1
        except (OverflowError, ValueError):
            whole = False
        if not whole:
            message = f"`to` must be after `from`, and at most {MAX_DAYS} days later."
            raise serializers.ValidationError({"to": [ErrorDetail(message, code="bad_period")]})
        if attrs["group_by"] == "label" and "label" not in attrs:
            message = "Name the label to group by, for example label=team."
            raise serializers.ValidationError({"label": [ErrorDetail(message, code="required")]})
        return attrs | {"period": counting.Period(since, until)}


class AdminUsageQuery(UsageQuery):
    group_by = Choice(choices=counting.GROUPINGS, default="tenant")
    tenant = serializers.CharField(max_length=40, required=False, help_text="Only this one.")


class SumsSerializer(serializers.Serializer):
    runs = serializers.IntegerField(help_text="Containers that ran; one that never started is none.")
    seconds = serializers.IntegerField()
    cpu_seconds = serializers.IntegerField(help_text="Cores asked for times seconds.")
    gib_seconds = serializers.IntegerField(help_text="GiB asked for times seconds.")
    cpu_hours = serializers.DecimalField(max_digits=20, decimal_places=4)
    gib_hours = serializers.DecimalField(max_digits=20, decimal_places=4)


class CountedSerializer(serializers.Serializer):
    all = SumsSerializer(help_text="Whatever ran.")
    billable = SumsSerializer(help_text="Without what the cluster or the service broke, and what nobody saw end.")


class GroupSerializer(CountedSerializer):
    group = serializers.CharField(allow_blank=True, help_text="Empty: runs without such a label or study.")


UsageSerializer = type(
    "UsageSerializer",
    (serializers.Serializer,),
    {
        "from": serializers.DateField(),
        "to": serializers.DateField(help_text="Not part of it."),
        "time_zone": serializers.CharField(),
        "group_by": serializers.CharField(),
        "total": CountedSerializer(),
        "groups": GroupSerializer(many=True),
        "more_groups": serializers.BooleanField(help_text=f"There are more than {counting.MAX_GROUPS}; ask for less."),
        "__doc__": "What ended in the period, whole.",
        "__module__": __name__,
    },
)


def shown(asked: dict[str, Any], runs: PodRunQuerySet) -> dict[str, Any]:
    found, more = counting.groups(runs, asked["group_by"], label=asked.get("label", ""))
    period = asked["period"]
    return {
        "from": period.since.isoformat(),
        "to": period.until.isoformat(),
        "time_zone": settings.BILLING_TIME_ZONE,
        "group_by": asked["group_by"],
        "total": counting.total(runs).shown,
        "groups": [{"group": each.name, **each.shown} for each in found],
        "more_groups": more,
    }


class UsageView(APIView):
    """GET /usage"""

    @extend_schema(
        summary="What ran in a period",
        description="A run counts on the day on which it ended, whole.",
        parameters=[UsageQuery],
        responses=UsageSerializer,
        tags=["usage"],
    )
    def get(self, request: Request) -> Response:
        asked = query(request, UsageQuery)
        return Response(shown(asked, asked["period"].runs().filter(tenant=tenant_of(request))))


class AdminUsageView(APIView):
    """GET /admin/usage"""

    authentication_classes = [ApiKeyAuthentication, StaffSessionAuthentication]
    permission_classes = [IsAdmin]

    @extend_schema(
        summary="What ran in a period, of all tenants",
        parameters=[AdminUsageQuery],
        responses=UsageSerializer,
        tags=["admin"],
    )
    def get(self, request: Request) -> Response:
        asked = query(request, AdminUsageQuery)
        runs = asked["period"].runs()
        if "tenant" in asked:
            runs = runs.filter(tenant_name=asked["tenant"])
        return Response(shown(asked, runs))
