"""The addresses of this room."""

from django.urls import path, re_path

from simulations.api.jobs import JobsView, JobView
from simulations.api.may_upload import MayUploadView
from simulations.api.results import ResultFileView, ResultsView
from simulations.api.runner import RunnerView
from simulations.api.scenarios import ScenarioArchiveView, ScenariosView, ScenarioVersionsView, ScenarioView
from simulations.api.tenant import TenantView
from simulations.services.scenarios import SCENARIO_ID

SCENARIO = rf"^scenarios/(?P<scenario_id>{SCENARIO_ID.pattern})"
VERSIONS = rf"{SCENARIO}/versions\Z"

urlpatterns = [
    path("-/may-upload", MayUploadView.as_view()),
    path("scenarios", ScenariosView.as_view({"get": "list", "post": "create"})),
    re_path(rf"{SCENARIO}\Z", ScenarioView.as_view({"get": "retrieve", "delete": "destroy"})),
    re_path(VERSIONS, ScenarioVersionsView.as_view({"post": "create"})),
    re_path(rf"{SCENARIO}/archive\Z", ScenarioArchiveView.as_view({"get": "retrieve"})),
    path("tenant", TenantView.as_view()),
    path("jobs", JobsView.as_view({"get": "list", "post": "create"})),
    path("jobs/<uuid:job_id>", JobView.as_view({"get": "retrieve"})),
    path("jobs/<uuid:job_id>/cancel", JobView.as_view({"post": "cancel"})),
    path("jobs/<uuid:job_id>/events", JobView.as_view({"get": "events"})),
    path("jobs/<uuid:job_id>/results", ResultsView.as_view({"get": "list"})),
    path("jobs/<uuid:job_id>/results/<path:name>", ResultFileView.as_view({"get": "retrieve"})),
    path("runner/jobs/<uuid:job_id>/scenario", RunnerView.as_view({"get": "scenario"})),
    path("runner/jobs/<uuid:job_id>/progress", RunnerView.as_view({"post": "progress"})),
    path(
        "runner/jobs/<uuid:job_id>/artifacts/<path:name>",
        RunnerView.as_view({"put": "put_artifact", "post": "confirm_artifact"}),
    ),
]
