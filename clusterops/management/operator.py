"""What the commands for operators share: which cluster, which overlay."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings

from clusterops.gateway import KubeApi

IN_CLUSTER = "KUBERNETES_SERVICE_HOST"  # set in every pod


def add_kubeconfig_argument(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--kubeconfig",
        default="",
        help="default: KUBE_CONFIG_PATH, KUBECONFIG, in a pod its service account, ~/.kube/config",
    )


def add_cluster_arguments(parser: ArgumentParser) -> None:
    add_kubeconfig_argument(parser)
    parser.add_argument(
        "--overlay", default="", help="one of deploy/overlays, or a folder with a kustomization.yaml (default: deploy/)"
    )
    parser.add_argument("--namespace", default="", help="of the control plane, instead of the overlay's")


def operator_api(options: dict[str, Any]) -> KubeApi:
    """The cluster that the operator means. Raises NotConfigured."""
    path = options["kubeconfig"] or settings.KUBE_CONFIG_PATH or os.environ.get("KUBECONFIG", "")
    if not path and IN_CLUSTER not in os.environ:
        path = str(Path.home() / ".kube" / "config")
    return KubeApi(path)
