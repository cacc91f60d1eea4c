"""What needs the cluster: logs, dashboard, admin API. Its addresses must come before the Django admin's."""

from django.urls import path

from clusterops.api import admin
from clusterops.api.attention import AttentionView
from clusterops.api.logs import LogsView
from clusterops.api.tenant_dashboard import TenantDashboardView

urlpatterns = [
    path("jobs/<uuid:job_id>/logs", LogsView.as_view(), name="job-logs"),
    path("tenants/me/dashboard", TenantDashboardView.as_view(), name="tenant-dashboard"),
    path("admin/cluster", admin.ClusterOverview.as_view(), name="admin-cluster"),
    path("admin/jobs", admin.AdminJobs.as_view(), name="admin-jobs"),
    path("admin/attention", AttentionView.as_view(), name="admin-attention"),
    path("admin/activity", admin.Activity.as_view(), name="admin-activity"),
]
