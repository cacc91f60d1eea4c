"""The stock Django admin under our name."""

from django.contrib import admin
from django.contrib.admin.apps import AdminConfig as StockAdminConfig


class AdminSite(admin.AdminSite):
    site_header = "SUMO-K8"
    site_title = "SUMO-K8"
    index_title = "Tenants, quotas and jobs"


class AdminConfig(StockAdminConfig):
    default_site = "sumok8.admin_site.AdminSite"
