"""Addresses of the admin API; they must come before the Django admin, which takes all that is below /admin/."""

from django.urls import path

from clusterops.api import admin

urlpatterns = [
    path("admin/cluster", admin.ClusterOverview.as_view(), name="admin-cluster"),
    path("admin/jobs", admin.AdminJobs.as_view(), name="admin-jobs"),
    path("admin/activity", admin.Activity.as_view(), name="admin-activity"),
]
