"""Run the embedded cluster: a loopback Kubernetes API whose pods are processes of this machine."""

from __future__ import annotations

import logging
import os
import sys
from argparse import ArgumentParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from localcluster.cluster import AlreadyRunning, LocalCluster
from localcluster.config import Autoscaler, Image, LocalClusterConfig
from tenants.management.base import OperatorCommand


def runner_stand_in() -> Image:
    """What the runner image would bring: Python with this project, and SUMO from the installed wheel."""
    spec = find_spec("sumo")
    if spec is None or not spec.submodule_search_locations:
        raise CommandError("the wheel eclipse-sumo is not installed; install requirements-embedded.txt")
    home = Path(next(iter(spec.submodule_search_locations)))
    env = {
        "PYTHONPATH": str(settings.BASE_DIR),
        "SUMO_HOME": str(home),
        "SUMO_BINARY": str(home / "bin" / "sumo"),
        "PROJ_LIB": str(home / "data" / "proj"),
        "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return Image(env=env)


class Command(OperatorCommand):
    help = __doc__
    example = "manage.py local_cluster --data var/cluster --kubeconfig var/kubeconfig"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--data", type=Path, required=True, help="folder for its objects and pods")
        parser.add_argument("--kubeconfig", type=Path, required=True, help="file to write when it listens")
        parser.add_argument("--port", type=int, default=0, help="0: that of last time, or any free one")
        parser.add_argument("--cpu", help="cores of the node local-1 (default: this machine's)")
        parser.add_argument("--memory-gi", type=float, help="memory of the node local-1 (default: this machine's)")
        parser.add_argument("--stop-pods", action="store_true", help="end all pods when it stops")
        pool = Autoscaler()
        scaling = parser.add_argument_group("autoscaling, as Karpenter would")
        scaling.add_argument("--autoscale", action="store_true")
        scaling.add_argument("--node-cpu", default=pool.node_cpu)
        scaling.add_argument("--node-memory-gi", default=pool.node_memory.removesuffix("Gi"))
        scaling.add_argument("--node-delay", type=float, default=pool.node_delay_s, metavar="SECONDS")
        scaling.add_argument("--empty-after", type=float, default=pool.empty_after_s, metavar="SECONDS")
        scaling.add_argument("--pool-cpu", default=pool.pool_cpu)
        scaling.add_argument("--pool-memory-gi", default=pool.pool_memory.removesuffix("Gi"))

    def handle(self, *args: Any, **options: Any) -> None:
        logging.getLogger("localcluster").setLevel(logging.INFO)
        size = {"cpu": options["cpu"]} if options["cpu"] else {}
        if options["memory_gi"]:
            size["memory"] = f"{int(options['memory_gi'] * 1024)}Mi"
        config = LocalClusterConfig(
            data=options["data"].resolve(),
            kubeconfig=options["kubeconfig"].resolve(),
            port=options["port"],
            default_image=runner_stand_in(),
            autoscaler=_autoscaler(options) if options["autoscale"] else None,
            **size,
        )
        try:
            LocalCluster(config).run(stop_pods=options["stop_pods"])
        except AlreadyRunning as error:
            raise CommandError(str(error)) from None


def _autoscaler(options: dict[str, Any]) -> Autoscaler:
    return Autoscaler(
        node_cpu=options["node_cpu"],
        node_memory=f"{options['node_memory_gi']}Gi",
        node_delay_s=options["node_delay"],
        empty_after_s=options["empty_after"],
        pool_cpu=options["pool_cpu"],
        pool_memory=f"{options['pool_memory_gi']}Gi",
    )
