"""`/-/may-upload`: what the proxy in front asks before it takes a scenario's bytes (sumok8/nginx.conf)."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


@extend_schema(exclude=True)
class MayUploadView(APIView):
    """204, or the 401 or 403 that the upload itself would be answered with; for the rate limit one request more."""

    def get(self, request: Request) -> Response:
        return Response(status=204)

    post = get  # nginx asks by the upload's own method
