"""Addresses below /t/<tenant>."""

from django.urls import path

from simulations.portal import home, jobs
from simulations.portal.studies import urls as studies

app_name = "portal"
HERE = "t/<slug:tenant_id>"
urlpatterns = [
    path(HERE, home.home, name="home"),
    path(f"{HERE}/jobs", jobs.job_list, name="jobs"),
    path(f"{HERE}/jobs/<uuid:job_id>", jobs.job_page, name="job"),
    *studies.urlpatterns,
]
