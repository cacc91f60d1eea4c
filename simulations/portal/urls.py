"""Addresses below /t/<tenant>."""

from django.urls import path, re_path

from simulations.portal import (
    changes,
    files,
    glance,
    home,
    jobs,
    joining,
    keys,
    maps,
    people,
    scenarios,
    submit,
    webhooks,
)
from simulations.portal.studies import urls as studies
from simulations.services.scenarios import SCENARIO_ID

HERE = "t/<slug:tenant_id>"
JOB = f"{HERE}/jobs/<uuid:job_id>"
SCENARIO = rf"^t/(?P<tenant_id>[-a-zA-Z0-9_]+)/scenarios/(?P<scenario_id>{SCENARIO_ID.pattern})"

app_name = "portal"
urlpatterns = [
    path("join", joining.join, name="join"),
    path(HERE, home.home, name="home"),
    path(f"{HERE}/now", home.home_now, name="home-now"),
    path(f"{HERE}/jobs", jobs.job_list, name="jobs"),
    path(f"{HERE}/submit", submit.submit, name="submit"),
    path(JOB, jobs.job_page, name="job"),
    path(f"{JOB}/now", jobs.job_now, name="job-now"),
    path(f"{JOB}/log", files.log, name="job-log"),
    path(f"{JOB}/cancel", jobs.cancel, name="job-cancel"),
    path(f"{JOB}/again", jobs.run_again, name="job-again"),
    path(f"{JOB}/simulated", files.simulated, name="job-simulated"),
    path(f"{JOB}/travel-times", files.travel_times, name="job-travel-times"),
    path(f"{JOB}/numbers", files.numbers, name="job-numbers"),
    path(f"{JOB}/map/network", maps.job_network, name="job-map-network"),
    path(f"{JOB}/map/edges", maps.job_edges, name="job-map-edges"),
    path(f"{JOB}/map/curve", maps.job_curve, name="job-map-curve"),
    path(f"{JOB}/files.zip", files.everything, name="job-zip"),
    path(f"{JOB}/files/<path:name>", files.result, name="job-file"),
    path(f"{HERE}/scenarios", scenarios.scenario_list, name="scenarios"),
    path(f"{HERE}/scenario-rows", scenarios.scenario_rows, name="scenario-rows"),
    path(f"{HERE}/sample", scenarios.take_sample, name="sample"),
    path(f"{HERE}/upload", scenarios.upload, name="upload"),
    path("-/may-upload/<slug:tenant_id>", scenarios.may_upload, name="may-upload"),
    re_path(rf"{SCENARIO}\Z", scenarios.scenario_page, name="scenario"),
    re_path(rf"{SCENARIO}/glance\Z", glance.glance, name="glance"),
    re_path(rf"{SCENARIO}/network\.svg\Z", glance.network_svg, name="scenario-network"),
    re_path(rf"{SCENARIO}/archive\Z", scenarios.archive, name="archive"),
    re_path(rf"{SCENARIO}/delete\Z", scenarios.delete, name="scenario-delete"),
    path(f"{HERE}/keys", keys.keys, name="keys"),
    path(f"{HERE}/keys/<int:key_id>/rotate", keys.rotate, name="key-rotate"),
    path(f"{HERE}/keys/<int:key_id>/revoke", keys.revoke, name="key-revoke"),
    path(f"{HERE}/webhooks", webhooks.webhooks, name="webhooks"),
    path(f"{HERE}/webhooks/sent", webhooks.sent, name="webhooks-sent"),
    path(f"{HERE}/webhooks/<uuid:endpoint_id>", webhooks.change, name="webhook"),
    path(f"{HERE}/changes", changes.changes, name="changes"),
    path(f"{HERE}/members", people.members, name="members"),
    path(f"{HERE}/members/<int:member_id>/role", people.change_role, name="member-role"),
    path(f"{HERE}/members/<int:member_id>/remove", people.remove, name="member-remove"),
    path(f"{HERE}/invitations/<int:invitation_id>/take-back", people.take_back, name="invitation-take-back"),
    *studies.urlpatterns,
]
