"""GET /tenant: what the caller may do, and which of it its plan says."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from simulations.api.callers import tenant_of
from simulations.api.storage import StorageSerializer, storage_shown
from simulations.services.storage import GIB, default_of, uses_of
from tenants import throttling
from tenants.limits import field_of
from tenants.models import Tenant
from tenants.priority import PriorityClass

SOURCES = ["plan", "own", "service"]
SOURCES_HELP = "plan: its plan says so; own: agreed for it alone; service: the same for all."


class NumberLimitSerializer(serializers.Serializer):
    value = serializers.FloatField()
    source = serializers.ChoiceField(  # type: ignore[assignment]
        SOURCES, help_text=SOURCES_HELP
    )


class ClassLimitSerializer(NumberLimitSerializer):
    value = serializers.ChoiceField(choices=PriorityClass.choices)  # type: ignore[assignment]


def _serializer_of(name: str) -> serializers.Serializer:
    words = str(field_of(name).help_text)
    return (ClassLimitSerializer if name == "max_priority_class" else NumberLimitSerializer)(help_text=words)


LimitsSerializer = type(
    "LimitsSerializer",
    (serializers.Serializer,),
    {**{name: _serializer_of(name) for name in Tenant.LIMITS}, "__doc__": "As in force.", "__module__": __name__},
)


class TenantSerializer(serializers.Serializer):
    tenant_id = serializers.CharField()
    plan = serializers.CharField(allow_null=True, help_text="Null: all limits are its own.")
    limits = LimitsSerializer()
    storage = StorageSerializer()
    refused_because = serializers.CharField(allow_blank=True, help_text="Why new jobs are refused at present.")


def limits_in_force(tenant: Tenant) -> dict[str, Any]:
    """Each with its value, also where the service's settings give it, and its source."""
    rate = throttling.of_tenant(tenant)
    given: dict[str, Any] = {
        "requests_per_minute": rate.per_minute,
        "request_burst": rate.burst,
        "max_result_gib": round(default_of("results") / GIB, 3),
        "max_scenario_gib": round(default_of("scenarios") / GIB, 3),
    }
    sources = tenant.sources
    return {
        name: {"value": given[name] if value is None else value, "source": sources[name]}
        for name, value in tenant.limits.items()
    }


class TenantView(APIView):
    """For a tenant's key."""

    @extend_schema(summary="The tenant's plan and limits", responses=TenantSerializer, tags=["tenant"])
    def get(self, request: Request) -> Response:
        tenant = tenant_of(request)
        paused = "New jobs are paused by the operator." if tenant.submissions_paused else ""
        answer = {
            "tenant_id": tenant.pk,
            "plan": tenant.plan.name if tenant.plan else None,
            "limits": limits_in_force(tenant),
            "storage": storage_shown(uses_of(tenant.pk)),
            "refused_because": tenant.refused_because or paused,
        }
        return Response(TenantSerializer(answer).data)
