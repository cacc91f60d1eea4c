from typing import Any

from django.apps import AppConfig
from django.apps import apps as all_apps
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate

from tenants.acting import record


class TenantsConfig(AppConfig):
    name = "tenants"

    def ready(self) -> None:
        connection_created.connect(record, dispatch_uid="changes are recorded")
        post_migrate.connect(_keep_first_cluster, sender=self)


def _keep_first_cluster(using: str, apps: Any = all_apps, **_: Any) -> None:
    """The migration makes it; `flush` would leave every tenant without a home."""
    from tenants.clusters import FIRST, FIRST_NAME

    try:
        clusters = apps.get_model("tenants", "Cluster").objects
    except LookupError:  # migrated to before there were clusters
        return
    clusters.using(using).get_or_create(pk=FIRST, defaults={"name": FIRST_NAME})
