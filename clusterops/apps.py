from typing import TYPE_CHECKING

from django.apps import AppConfig

from simulations import attention, logs, machines

if TYPE_CHECKING:
    from simulations.models import Job


class ClusteropsConfig(AppConfig):
    name = "clusterops"
    verbose_name = "Cluster operations"

    def ready(self) -> None:
        from clusterops.models import ReconcilerState

        attention.register(ReconcilerState.look)
        machines.register(ReconcilerState.largest_machines)
        logs.register(_log_view)


def _log_view(job: "Job") -> logs.LogView:
    from clusterops.api.log_text import log_view  # commands that read no log start without it

    return log_view(job)
