"""What a tenant keeps, against what it may keep."""

from typing import Any

from rest_framework import serializers

from simulations.services.storage import uses_of


class UseSerializer(serializers.Serializer):
    used_bytes = serializers.IntegerField()
    limit_bytes = serializers.IntegerField()


class StorageSerializer(serializers.Serializer):
    results = UseSerializer()
    scenarios = UseSerializer(help_text="Own versions; those with the same content count once, shared ones not at all.")
    warnings = serializers.ListField(child=serializers.CharField(), help_text="A sentence for each from 80 % on.")


def storage_of(tenant_id: str) -> dict[str, Any]:
    """For `StorageSerializer`; one query."""
    uses = uses_of(tenant_id)
    return {use.kind: use for use in uses} | {"warnings": [use.warning for use in uses if use.warning]}
