"""What a tenant keeps, against what it may keep."""

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from simulations.services.storage import Use


class UseSerializer(serializers.Serializer):
    used_bytes = serializers.IntegerField()
    limit_bytes = serializers.IntegerField()


class StorageSerializer(serializers.Serializer):
    results = UseSerializer()
    scenarios = UseSerializer(help_text="Own versions; those with the same content count once, shared ones not at all.")
    warnings = serializers.ListField(child=serializers.CharField(), help_text="A sentence for each from 80 % on.")


def storage_shown(uses: Iterable[Use]) -> dict[str, Any]:
    """For `StorageSerializer`."""
    shown: dict[str, Any] = {use.kind: use for use in uses}
    return shown | {"warnings": [use.warning for use in shown.values() if use.warning]}


def as_bytes(use: Use) -> dict[str, int]:
    """As `UseSerializer` describes it."""
    return {"used_bytes": use.used_bytes, "limit_bytes": use.limit_bytes}
