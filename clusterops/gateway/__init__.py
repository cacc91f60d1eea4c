"""The one door to Kubernetes; nothing else imports its client."""

from clusterops.gateway.kube_api import APPLY, MERGE, PAGE, KubeApi, path_of
from clusterops.gateway.operations import Gateway, default_gateway

__all__ = ["APPLY", "MERGE", "PAGE", "Gateway", "KubeApi", "default_gateway", "path_of"]
