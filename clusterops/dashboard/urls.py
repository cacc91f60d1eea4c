"""Addresses below /cluster/."""

from django.urls import path

from clusterops.dashboard import actions, maps, numbers, tenant_pages, views

app_name = "cluster"
urlpatterns = [
    path("", views.cluster_page, name="overview"),
    path("now/<slug:name>/", views.section, name="section"),
    path("jobs/", views.job_list, name="jobs"),
    path("jobs/now/", views.job_rows, name="job-rows"),
    path("jobs/cancel", actions.cancel_jobs, name="cancel-jobs"),
    path("jobs/compare", actions.compare_jobs, name="compare-jobs"),
    path("jobs/rerun", actions.rerun_jobs, name="rerun-jobs"),
    path("tenants/", tenant_pages.tenants_page, name="tenants"),
    path("tenants/<slug:tenant_id>/", tenant_pages.tenant_page, name="tenant"),
    path("tenants/<slug:tenant_id>/limits", tenant_pages.set_limits, name="set-limits"),
    path("changes/", tenant_pages.changes_page, name="changes"),
    path("attention/<slug:code>/", views.cause_page, name="cause"),
    path("attention/<slug:code>/silence", actions.silence, name="silence"),
    path("jobs/<uuid:job_id>/", views.job_page, name="job"),
    path("jobs/<uuid:job_id>/numbers", numbers.job, name="job-numbers"),
    path("jobs/<uuid:job_id>/now/", views.job_section, name="job-section"),
    path("jobs/<uuid:job_id>/log/", views.job_log, name="job-log"),
    path("jobs/<uuid:job_id>/files/<path:name>", views.job_file, name="job-file"),
    path("numbers", numbers.activity, name="activity-numbers"),
    path("data/activity", views.activity_data, name="activity-data"),
    path("data/jobs/<uuid:job_id>/simulated", views.simulated_data, name="simulated-data"),
    path("data/jobs/<uuid:job_id>/travel-times", views.travel_times_data, name="travel-times-data"),
    path("data/jobs/<uuid:job_id>/network.json", maps.network, name="map-network"),
    path("data/jobs/<uuid:job_id>/edges", maps.edges, name="map-edges"),
    path("data/jobs/<uuid:job_id>/edges/curve", maps.curve, name="map-curve"),
]
