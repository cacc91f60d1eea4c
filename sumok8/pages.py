"""The pages that belong to no room: the front door and the API's documentation."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """What this is and where to go."""
    return render(request, "sumok8/front.html")


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Swagger UI over /schema; the stock template would need inline scripts, which our policy refuses."""
    return render(request, "sumok8/docs.html")
