"""The addresses of usage. They must come before the Django admin's."""

from django.urls import path, re_path

from clusterops.usage.api import UsageView
from clusterops.usage.statement_api import PERIOD, StatementFilesView, StatementsView

STATEMENT = rf"^statements/(?P<period>{PERIOD})"

urlpatterns = [
    path("usage", UsageView.as_view(), name="usage"),
    path("statements", StatementsView.as_view({"get": "list"})),
    re_path(rf"{STATEMENT}\Z", StatementsView.as_view({"get": "retrieve"})),
    re_path(rf"{STATEMENT}\.csv\Z", StatementFilesView.as_view({"get": "csv"})),
    re_path(rf"{STATEMENT}\.html\Z", StatementFilesView.as_view({"get": "html"})),
]
