"""What the commands for operators share: which cluster, which overlay."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings

from clusterops.gateway import KubeApi
from tenants.clusters import FIRST_NAME, Cluster, first_cluster
from tenants.management.base import find_cluster

IN_CLUSTER = "KUBERNETES_SERVICE_HOST"  # set in every pod


def add_kubeconfig_argument(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--cluster", default="", metavar="NAME", help="one of this installation's clusters, reached as its row says"
    )
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


def operator_api(options: dict[str, Any], cluster: Cluster | None = None) -> KubeApi:
    """The cluster that the operator means: `cluster` where it is known. Raises NotConfigured, CommandError."""
    own = cluster or named_cluster(options)
    path = options["kubeconfig"] or own.kubeconfig or settings.KUBE_CONFIG_PATH or os.environ.get("KUBECONFIG", "")
    if not path and IN_CLUSTER not in os.environ:
        path = str(Path.home() / ".kube" / "config")
    return KubeApi(path, "" if options["kubeconfig"] else own.context)


def named_cluster(options: dict[str, Any]) -> Cluster:
    """By `--cluster`, else as the settings say, as the database may not be known here. Raises CommandError."""
    return find_cluster(options["cluster"]) if options["cluster"] else first_cluster()


def meant_cluster(options: dict[str, Any]) -> Cluster:
    """By `--cluster`, else the first, as its row is. Raises CommandError."""
    return find_cluster(options["cluster"] or FIRST_NAME)
