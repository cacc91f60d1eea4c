"""Who calls and what the address asks for."""

from typing import Any

from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer, ChoiceField, ListField

from tenants.models import Tenant


def tenant_of(request: Request) -> Tenant:
    """The tenant whose key was sent; `IsTenant` has made sure that there is one."""
    tenant: Tenant | None = request.user.tenant  # type: ignore[union-attr]
    if tenant is None:
        raise TypeError("this view needs IsTenant")
    return tenant


def query(request: Request, serializer_class: type[BaseSerializer]) -> dict[str, Any]:
    """The query string as `serializer_class` reads it: lists are repeated (`a=1&a=2`), choices may be one comma list.

    Raises ValidationError with everything that is wrong.
    """
    serializer = serializer_class(data={})
    fields = getattr(serializer, "fields", {})
    given: dict[str, Any] = {}
    for name, values in request.query_params.lists():
        field = fields.get(name)
        if isinstance(field, ListField):
            several = isinstance(field.child, ChoiceField)  # a free text may hold a comma of its own
            given[name] = [part for value in values for part in (value.split(",") if several else [value])]
        else:
            given[name] = values[-1]
    serializer = serializer_class(data=given)
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data
