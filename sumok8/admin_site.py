"""The stock Django admin under our name, with a home that shows what matters."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.apps import AdminConfig as StockAdminConfig
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse


class AdminSite(admin.AdminSite):
    site_header = "SUMO-K8"
    site_title = "SUMO-K8"
    index_title = "Administration"
    site_url = None  # the header has its own link to the dashboard
    index_template = "admin/home.html"
    enable_nav_sidebar = False  # so few pages need no second menu; lists need the width

    def __init__(self, name: str = "admin") -> None:
        from sumok8.sign_in import SignInForm  # models are not loaded yet when this module is

        super().__init__(name)
        self.login_form = SignInForm

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        from sumok8.sign_in import provider  # as above

        return super().login(request, {"provider": provider(), **(extra_context or {})})

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        from sumok8.admin_home import home  # as above

        return super().index(request, {**home(), **(extra_context or {})})

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """What staff come for first: tenants, jobs; then accounts and history."""
        order = ["tenants", "simulations", "auth", "admin"]
        apps = super().get_app_list(request, app_label)
        return sorted(apps, key=lambda app: order.index(app["app_label"]) if app["app_label"] in order else len(order))


class AdminConfig(StockAdminConfig):
    verbose_name = "History"
    default_site = "sumok8.admin_site.AdminSite"
