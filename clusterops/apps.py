from django.apps import AppConfig

from simulations import attention


class ClusteropsConfig(AppConfig):
    name = "clusterops"
    verbose_name = "Cluster operations"

    def ready(self) -> None:
        from clusterops.models import ReconcilerState

        attention.register(ReconcilerState.look)
