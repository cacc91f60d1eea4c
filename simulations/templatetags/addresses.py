"""The address of a list with another filter."""

from django import template

register = template.Library()


@register.simple_tag(takes_context=True)
def drop_filter(context: template.RequestContext, name: str) -> str:
    """The page's address without one filter, from the first page on."""
    return _address(context, {name: None})


@register.simple_tag(takes_context=True)
def set_filter(context: template.RequestContext, name: str, value: str) -> str:
    """The page's address with another filter, from the first page on."""
    return _address(context, {name: value})


def _address(context: template.RequestContext, changes: dict[str, str | None]) -> str:
    query = context["request"].GET.copy()
    query.pop("cursor", None)
    for name, value in changes.items():
        query.pop(name, None)
        if value is not None:
            query[name] = value
    return f"?{query.urlencode()}"
