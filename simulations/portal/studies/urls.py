"""Addresses below /t/<tenant>/studies."""

from django.urls import path

from simulations.portal import maps
from simulations.portal.studies import acts, compare, curves, new, pages

HERE = "t/<slug:tenant_id>/studies"
ONE = f"{HERE}/<uuid:study_id>"
urlpatterns = [
    path(HERE, pages.study_list, name="studies"),
    path(f"{HERE}/new", new.study_new, name="study-new"),
    path(ONE, pages.study_page, name="study"),
    path(f"{ONE}/now", pages.study_now, name="study-now"),
    path(f"{ONE}/files/<str:name>", acts.study_file, name="study-file"),
    path(f"{ONE}/compare", compare.study_compare, name="study-compare"),
    path(f"{ONE}/curves", curves.study_curves, name="study-curves"),
    path(f"{ONE}/map/network", maps.study_network, name="study-map-network"),
    path(f"{ONE}/map/edges", maps.study_edges, name="study-map-edges"),
    path(f"{ONE}/map/curve", maps.study_curve, name="study-map-curve"),
    path(f"{ONE}/shares", compare.share, name="share"),
    path(f"{ONE}/shares/<int:share_id>/end", compare.end_share, name="share-end"),
    path(f"{ONE}/<slug:act>", acts.study_act, name="study-act"),
    path("t/<slug:tenant_id>/compare", compare.job_compare, name="compare"),
    path("shared", compare.shared, name="shared"),
]
