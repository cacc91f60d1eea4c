from django.apps import AppConfig

from simulations import attention, machines


class ClusteropsConfig(AppConfig):
    name = "clusterops"
    verbose_name = "Cluster operations"

    def ready(self) -> None:
        from clusterops.models import ReconcilerState

        attention.register(ReconcilerState.look)
        machines.register(ReconcilerState.largest_machines)
