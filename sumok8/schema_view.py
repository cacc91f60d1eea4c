"""`GET /schema`: the same for everybody, and half a second's work, so it is done once in a process."""

from functools import cache
from threading import Lock
from typing import Any

from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.request import Request

_making = Lock()  # it loads its plug-ins at the first call, and fails where two threads do


class SchemaView(SpectacularJSONAPIView):
    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        with _making:
            content = _document()
        return HttpResponse(content, content_type=request.accepted_renderer.media_type)


@cache
def _document() -> bytes:
    return OpenApiJsonRenderer().render(SchemaGenerator().get_schema(public=True))
