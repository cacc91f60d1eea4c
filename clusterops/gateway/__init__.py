"""The one door to Kubernetes; nothing else imports its client."""

from clusterops.gateway.kube_api import APPLY, MERGE, PAGE, KubeApi, path_of
from clusterops.gateway.operations import Gateway, forget_gateways, gateway_of

__all__ = ["APPLY", "MERGE", "PAGE", "Gateway", "KubeApi", "forget_gateways", "gateway_of", "path_of"]
