"""`/webhooks`: who is told, the secrets, a test, the log, once more."""

import uuid
from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from simulations.api.callers import query, tenant_of
from simulations.api.pagination import page
from simulations.webhooks import outbox, services
from simulations.webhooks.api import shapes
from simulations.webhooks.models import Delivery, Endpoint
from tenants.errors import ApiError
from tenants.members import Role


class EndpointsView(viewsets.ViewSet):
    """All endpoints of the caller."""

    role_to_change = Role.OWNER

    @extend_schema(summary="List webhooks", responses=shapes.EndpointsSerializer, tags=["webhooks"])
    def list(self, request: Request) -> Response:
        rows = Endpoint.objects.filter(tenant=tenant_of(request))
        return Response(shapes.EndpointsSerializer({"endpoints": rows}).data)

    @extend_schema(
        summary="Be told when jobs end",
        description="The answer holds the secret that signs what is sent, as standardwebhooks.com describes it.",
        request=shapes.EndpointRequest,
        responses={201: shapes.EndpointWithSecretSerializer, 409: None},
        tags=["webhooks"],
    )
    def create(self, request: Request) -> Response:
        wanted = shapes.EndpointRequest.read(request.data)
        endpoint = services.add_endpoint(tenant=tenant_of(request), url=wanted["url"], events=wanted["events"])
        return Response(shapes.EndpointWithSecretSerializer(endpoint).data, status=201)


class EndpointView(viewsets.ViewSet):
    """One endpoint."""

    role_to_change = Role.OWNER

    @extend_schema(summary="A webhook", responses=shapes.EndpointSerializer, tags=["webhooks"])
    def retrieve(self, request: Request, endpoint_id: uuid.UUID) -> Response:
        return Response(shapes.EndpointSerializer(_find(request, endpoint_id)).data)

    @extend_schema(
        summary="Change a webhook",
        request=shapes.EndpointChange,
        responses=shapes.EndpointSerializer,
        tags=["webhooks"],
    )
    @transaction.atomic
    def partial_update(self, request: Request, endpoint_id: uuid.UUID) -> Response:
        wanted = shapes.EndpointChange.read(request.data)
        endpoint = _find(request, endpoint_id, held=True)
        changes: dict[str, Any] = {}
        if "url" in wanted:
            changes["url"] = wanted["url"]
        if "events" in wanted:
            changes["events"] = sorted(set(wanted["events"]))
        if "active" in wanted:
            changes |= {"is_active": wanted["active"], "disabled_because": "", "failing_since": None}
        Endpoint.objects.filter(pk=endpoint.pk).update(**changes)
        endpoint.refresh_from_db()
        return Response(shapes.EndpointSerializer(endpoint).data)

    @extend_schema(summary="Delete a webhook", responses={204: None}, tags=["webhooks"])
    def destroy(self, request: Request, endpoint_id: uuid.UUID) -> Response:
        services.delete_endpoint(_find(request, endpoint_id))
        return Response(status=204)

    @extend_schema(
        summary="Rotate a webhook's secret",
        description="For 24 hours the secret before signs as well, so that receivers can change over.",
        request=None,
        responses=shapes.EndpointWithSecretSerializer,
        tags=["webhooks"],
    )
    @transaction.atomic
    def rotate(self, request: Request, endpoint_id: uuid.UUID) -> Response:
        endpoint = _find(request, endpoint_id, held=True)
        endpoint.rotate()
        return Response(shapes.EndpointWithSecretSerializer(endpoint).data)

    @extend_schema(
        summary="Send a test",
        request=None,
        responses={202: shapes.DeliverySerializer, 409: None},
        tags=["webhooks"],
    )
    @transaction.atomic
    def test(self, request: Request, endpoint_id: uuid.UUID) -> Response:
        delivery = services.send_test(_find(request, endpoint_id, held=True))
        return Response(shapes.DeliverySerializer(delivery).data, status=202)

    @extend_schema(
        summary="Tell again",
        description="What was told since then, or would have been had there been this webhook, is sent once more.",
        request=shapes.ReplayRequest,
        responses={202: shapes.ReplaySerializer},
        tags=["webhooks"],
    )
    @transaction.atomic
    def replay(self, request: Request, endpoint_id: uuid.UUID) -> Response:
        since = shapes.ReplayRequest.read(request.data)["since"]
        queued = outbox.replay(_find(request, endpoint_id, held=True), since, outbox.MAX_REPLAYED)
        return Response({"queued": queued, "more": queued == outbox.MAX_REPLAYED}, status=202)

    @extend_schema(
        summary="What was sent",
        parameters=[shapes.DeliveriesQuery],
        responses=shapes.DeliveriesSerializer,
        tags=["webhooks"],
    )
    def deliveries(self, request: Request, endpoint_id: uuid.UUID) -> Response:
        asked = query(request, shapes.DeliveriesQuery)
        rows = Delivery.objects.filter(endpoint=_find(request, endpoint_id)).select_related("notice")
        found, following = page(request, rows, order_by="created_at", limit=asked["limit"], cursor=asked.get("cursor"))
        return Response(shapes.DeliveriesSerializer({"deliveries": found, "next": following}).data)


def _find(request: Request, endpoint_id: uuid.UUID, *, held: bool = False) -> Endpoint:
    """The caller's own; `held` until the transaction ends, so that it is not deleted meanwhile. Raises ApiError 404,
    also for another tenant's."""
    rows = Endpoint.objects.select_for_update(no_key=True) if held else Endpoint.objects.all()
    found = rows.filter(pk=endpoint_id, tenant=tenant_of(request)).first()
    if found is None:
        raise ApiError(404, "webhook.not_found", "You have no such webhook.")
    return found
