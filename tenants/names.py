"""Which names a tenant and its namespace may have."""

import re

from django.conf import settings
from django.core.exceptions import ValidationError

DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")  # RFC 1123, as Kubernetes asks of a namespace


def validate_tenant_id(value: str) -> None:
    """A DNS label of 1-40 characters that no system namespace uses."""
    if len(value) > 40 or not DNS_LABEL.fullmatch(value):
        raise ValidationError(
            "Use 1 to 40 lower-case letters, digits and hyphens, beginning and ending with a letter or digit.",
            code="tenant.bad_name",
        )
    _refuse_reserved(value)


def is_tenant_id(value: str) -> bool:
    try:
        validate_tenant_id(value)
    except ValidationError:
        return False
    return True


def validate_namespace(value: str) -> None:
    """A DNS label of 1-63 characters that no system namespace uses."""
    if len(value) > 63 or not DNS_LABEL.fullmatch(value):
        raise ValidationError(
            "Use 1 to 63 lower-case letters, digits and hyphens, beginning and ending with a letter or digit.",
            code="tenant.bad_namespace",
        )
    _refuse_reserved(value)


def _refuse_reserved(value: str) -> None:
    if value == "default" or value.startswith("kube-") or value == settings.CONTROLLER_NAMESPACE:
        raise ValidationError(f"“{value}” belongs to the cluster itself; choose another name.", code="tenant.reserved")
