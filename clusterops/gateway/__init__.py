"""The one door to Kubernetes; nothing else imports its client."""

from clusterops.gateway.kube_api import APPLY, PAGE, KubeApi, path_of
from clusterops.gateway.operations import Gateway, default_gateway

__all__ = ["APPLY", "PAGE", "Gateway", "KubeApi", "default_gateway", "path_of"]
