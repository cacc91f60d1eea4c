"""The addresses of a map's data."""

from django.urls import path

from simulations.edges.study_views import StudyEdgesView
from simulations.edges.views import JobEdgesView

JOB = "jobs/<uuid:job_id>"
STUDY = "studies/<uuid:study_id>"

urlpatterns = [
    path(f"{JOB}/network.json", JobEdgesView.as_view({"get": "network"})),
    path(f"{JOB}/edges", JobEdgesView.as_view({"get": "edges"})),
    path(f"{JOB}/edges/curve", JobEdgesView.as_view({"get": "curve"})),
    path(f"{STUDY}/network.json", StudyEdgesView.as_view({"get": "network"})),
    path(f"{STUDY}/edges", StudyEdgesView.as_view({"get": "edges"})),
    path(f"{STUDY}/edges/curve", StudyEdgesView.as_view({"get": "curve"})),
    path(f"{STUDY}/edges.csv", StudyEdgesView.as_view({"get": "edges_csv"})),
    path(f"{STUDY}/edges.parquet", StudyEdgesView.as_view({"get": "edges_parquet"})),
]
