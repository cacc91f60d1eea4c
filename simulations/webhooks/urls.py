"""The addresses of webhooks."""

from django.urls import path

from simulations.webhooks.api.views import EndpointsView, EndpointView

HERE = "webhooks/<uuid:endpoint_id>"

urlpatterns = [
    path("webhooks", EndpointsView.as_view({"get": "list", "post": "create"})),
    path(HERE, EndpointView.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"})),
    *(path(f"{HERE}/{act}", EndpointView.as_view({"post": act})) for act in ("rotate", "test", "replay")),
    path(f"{HERE}/deliveries", EndpointView.as_view({"get": "deliveries"})),
]
