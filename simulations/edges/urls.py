"""The addresses of a map's data."""

from django.urls import path

from simulations.edges.views import JobEdgesView

JOB = "jobs/<uuid:job_id>"

urlpatterns = [
    path(f"{JOB}/network.json", JobEdgesView.as_view({"get": "network"})),
    path(f"{JOB}/edges", JobEdgesView.as_view({"get": "edges"})),
    path(f"{JOB}/edges/curve", JobEdgesView.as_view({"get": "curve"})),
]
