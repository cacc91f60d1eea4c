"""The stock Django admin under our name, with a home that shows what matters."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.apps import AdminConfig as StockAdminConfig
from django.http import HttpRequest
from django.template.response import TemplateResponse


class AdminSite(admin.AdminSite):
    site_header = "SUMO-K8"
    site_title = "SUMO-K8"
    index_title = "Administration"
    site_url = None  # the header has its own link to the dashboard
    index_template = "admin/home.html"

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        from sumok8.admin_home import home  # models are not loaded yet when this module is

        return super().index(request, {**home(), **(extra_context or {})})


class AdminConfig(StockAdminConfig):
    default_site = "sumok8.admin_site.AdminSite"
