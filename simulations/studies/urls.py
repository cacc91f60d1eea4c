"""The addresses of studies."""

from django.urls import path

from simulations.studies.api.exports import ExportsView
from simulations.studies.api.views import StudiesView, StudyView

HERE = "studies/<uuid:study_id>"

urlpatterns = [
    path("studies", StudiesView.as_view({"get": "list", "post": "create"})),
    path(HERE, StudyView.as_view({"get": "retrieve"})),
    *(
        path(f"{HERE}/{act}", StudyView.as_view({"post": act}))
        for act in ("pause", "resume", "cancel", "retry", "extend")
    ),
    path(f"{HERE}/runs", StudyView.as_view({"get": "runs"})),
    path(f"{HERE}/summary", StudyView.as_view({"get": "summary"})),
    path(f"{HERE}/runs.csv", ExportsView.as_view({"get": "runs_csv"})),
    path(f"{HERE}/runs.parquet", ExportsView.as_view({"get": "runs_parquet"})),
    path(f"{HERE}/summary.csv", ExportsView.as_view({"get": "summary_csv"})),
    path(f"{HERE}/comparisons.csv", ExportsView.as_view({"get": "comparisons_csv"})),
    path(f"{HERE}/report.html", ExportsView.as_view({"get": "report_html"})),
    path(f"{HERE}/archive.zip", ExportsView.as_view({"get": "archive_zip"})),
]
