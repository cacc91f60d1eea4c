"""Which address leads to which room."""

from django.contrib import admin
from django.urls import include, path
from django.views.decorators.gzip import gzip_page
from django.views.generic import RedirectView

from clusterops.dashboard import usage
from sumok8 import account, client_package, guides, health, metrics, oidc, pages, resource_metadata, search, sign_in
from sumok8.schema_view import SchemaView
from tenants.trust.api import TokenView

handler400 = "sumok8.errors.bad_request"
handler403 = "sumok8.errors.permission_denied"
handler404 = "sumok8.errors.not_found"
handler500 = "sumok8.errors.server_error"

urlpatterns = [
    path("", pages.front, name="front"),
    path("sign-in", sign_in.SignInView.as_view(), name="sign-in"),
    path("sign-in/oidc", oidc.begin, name="oidc"),
    path("sign-in/oidc/back", oidc.finish, name="oidc-back"),
    path("sign-out", sign_in.SignOutView.as_view(), name="sign-out"),
    path("password", sign_in.PasswordView.as_view(), name="password"),
    path("password/forgotten", account.forgotten, name="forgotten"),
    path("password/new", account.new_password, name="password-new"),
    path("search", search.search, name="search"),
    path("account", account.account, name="account"),
    path("account/address", account.address, name="address"),
    path("account/sessions/end", account.end_session, name="end-session"),
    path(".well-known/oauth-protected-resource", resource_metadata.show, name="resource-metadata"),
    path("token", TokenView.as_view(), name="token"),
    path("client.zip", client_package.download, name="client-package"),
    path("docs", guides.docs, name="docs"),
    path("docs/<slug:name>", guides.guide, name="guide"),
    path("schema", gzip_page(SchemaView.as_view()), name="schema"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("", include("simulations.api.urls")),
    path("", include("simulations.studies.urls")),
    path("", include("simulations.edges.urls")),
    path("", include("simulations.webhooks.urls")),
    path("", include("simulations.portal.urls")),
    path("", include("clusterops.usage.urls")),
    path("admin/usage", usage.UsageOrPageView.as_view(), name="admin-usage"),
    path("admin/usage.csv", usage.usage_csv, name="admin-usage-csv"),
    path("", include("clusterops.api.urls")),  # before the Django admin, which takes all below /admin/
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("cluster", RedirectView.as_view(pattern_name="cluster:overview")),
    path("cluster/", include("clusterops.dashboard.urls")),
]
