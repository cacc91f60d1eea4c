"""GET /admin/attention: what needs somebody, for whoever watches this installation."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clusterops.api.admin import AdminView
from clusterops.attention import look
from clusterops.gateway.snapshot_cache import look_at
from clusterops.policy.attention import Finding
from clusterops.policy.causes import CAUSES, Severity
from simulations.sumo.protocol.endings import Fault
from tenants.clusters import FIRST, Cluster

MAX_TENANTS = 100  # of one finding
MAX_DETAILS = 10


class AttentionTenant(serializers.Serializer):
    """A tenant's share of a finding."""

    tenant_id = serializers.CharField()
    count = serializers.IntegerField()
    since = serializers.DateTimeField(allow_null=True)
    detail = serializers.CharField(allow_blank=True)


class AttentionFinding(serializers.Serializer):
    """One cause."""

    cause = serializers.ChoiceField([(code, code) for code in CAUSES])
    who = serializers.ChoiceField([(each.value, each.value) for each in Fault], help_text="Who can mend it.")
    severity = serializers.ChoiceField(
        [(each.value, each.value) for each in Severity], help_text="bad: broken, or somebody waits for it."
    )
    title = serializers.CharField()
    todo = serializers.CharField(help_text="What to do.")
    count = serializers.IntegerField(help_text="Jobs, or whatever it is about.")
    since = serializers.DateTimeField(allow_null=True)
    tenants_total = serializers.IntegerField()
    tenants = AttentionTenant(many=True, help_text=f"The {MAX_TENANTS} with the largest shares.")
    details = serializers.ListField(child=serializers.CharField(), help_text=f"Examples, {MAX_DETAILS} at most.")


class AttentionSilenced(serializers.Serializer):
    """What an operator knows of and does not want to be told for a while."""

    cause = serializers.CharField()
    tenant_id = serializers.CharField(allow_null=True, help_text="Null: whomever it is about.")
    until = serializers.DateTimeField()
    by = serializers.CharField(source="by.username", allow_null=True, default=None)


@extend_schema_serializer(many=False)
class AttentionAnswer(serializers.Serializer):
    """Empty: nothing needs anybody, as far as the last pass could see."""

    findings = AttentionFinding(many=True)
    silenced = AttentionSilenced(many=True)


class AttentionView(AdminView):
    """GET /admin/attention"""

    @extend_schema(summary="What is wrong, who can mend it and how", responses=AttentionAnswer, tags=["admin"])
    def get(self, request: Request) -> Response:
        own = Cluster.objects.get(pk=FIRST)
        found = look(look_at(own), own.name)
        return Response(
            AttentionAnswer({"findings": [_shown(each) for each in found.findings], "silenced": found.silences}).data
        )


def _shown(finding: Finding) -> dict[str, Any]:
    cause = finding.cause
    return {
        "cause": cause.code,
        "who": cause.who,
        "severity": finding.severity,
        "title": cause.title,
        "todo": cause.todo,
        "count": finding.count,
        "since": finding.since,
        "tenants_total": len(finding.tenants),
        "tenants": finding.tenants[:MAX_TENANTS],
        "details": finding.details[:MAX_DETAILS],
    }
