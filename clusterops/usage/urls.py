"""The addresses of usage. They must come before the Django admin's."""

from django.urls import path, re_path

from clusterops.usage import pages
from clusterops.usage.api import UsageView
from clusterops.usage.statement_api import PERIOD, StatementFilesView, StatementsView

STATEMENT = rf"^statements/(?P<period>{PERIOD})"

urlpatterns = [
    path("usage", UsageView.as_view(), name="usage"),
    path("statements", StatementsView.as_view({"get": "list"})),
    re_path(rf"{STATEMENT}\Z", StatementsView.as_view({"get": "retrieve"})),
    re_path(rf"{STATEMENT}\.csv\Z", StatementFilesView.as_view({"get": "csv"})),
    re_path(rf"{STATEMENT}\.html\Z", StatementFilesView.as_view({"get": "html"})),
    path("t/<slug:tenant_id>/usage", pages.usage, name="tenant-usage"),
    path("t/<slug:tenant_id>/usage/days", pages.days, name="tenant-usage-days"),
    re_path(
        rf"^t/(?P<tenant_id>[-a-zA-Z0-9_]+)/statements/(?P<period>{PERIOD})\.(?P<form>html|csv)\Z",
        pages.statement_file,
        name="tenant-statement",
    ),
]
