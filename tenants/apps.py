from django.apps import AppConfig
from django.db.backends.signals import connection_created

from tenants.acting import record


class TenantsConfig(AppConfig):
    name = "tenants"

    def ready(self) -> None:
        connection_created.connect(record, dispatch_uid="changes are recorded")
