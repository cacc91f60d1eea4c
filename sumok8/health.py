"""Is the process alive, and can it serve?"""

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from sumok8 import errors
from tenants.database import answering_within

ANSWER_S = 2.0  # with the wait for a connection, less than a probe's own patience of 5 s


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all; knows nothing of the database, so an outage restarts no pod."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when the database answers; else 503 in the shape of every error. The cluster is not asked: jobs can wait."""
    try:
        with answering_within(ANSWER_S), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return errors.database_unreachable(request)
    return JsonResponse({"status": "ok", "database": "ok"})
