"""The addresses of usage. They must come before the Django admin's."""

from django.urls import path

from clusterops.usage.api import AdminUsageView, UsageView

urlpatterns = [
    path("usage", UsageView.as_view(), name="usage"),
    path("admin/usage", AdminUsageView.as_view(), name="admin-usage"),
]
