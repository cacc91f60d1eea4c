"""The kinds of objects the local cluster knows, as the API server names them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resource:
    group: str
    plural: str
    kind: str
    namespaced: bool = True
    generation: bool = False  # the API server counts changes of spec in metadata.generation
    version: str = "v1"

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


NAMESPACES = Resource("", "namespaces", "Namespace", namespaced=False)
NODES = Resource("", "nodes", "Node", namespaced=False)
PODS = Resource("", "pods", "Pod", generation=True)
EVENTS = Resource("", "events", "Event")
QUOTAS = Resource("", "resourcequotas", "ResourceQuota")
LIMIT_RANGES = Resource("", "limitranges", "LimitRange")
CONFIG_MAPS = Resource("", "configmaps", "ConfigMap")
SECRETS = Resource("", "secrets", "Secret")
SERVICE_ACCOUNTS = Resource("", "serviceaccounts", "ServiceAccount")
JOBS = Resource("batch", "jobs", "Job", generation=True)
NETWORK_POLICIES = Resource("networking.k8s.io", "networkpolicies", "NetworkPolicy", generation=True)
PRIORITY_CLASSES = Resource("scheduling.k8s.io", "priorityclasses", "PriorityClass", namespaced=False, generation=True)
LEASES = Resource("coordination.k8s.io", "leases", "Lease")
ROLES = Resource("rbac.authorization.k8s.io", "roles", "Role")
ROLE_BINDINGS = Resource("rbac.authorization.k8s.io", "rolebindings", "RoleBinding")
CLUSTER_ROLES = Resource("rbac.authorization.k8s.io", "clusterroles", "ClusterRole", namespaced=False)
CLUSTER_ROLE_BINDINGS = Resource(
    "rbac.authorization.k8s.io", "clusterrolebindings", "ClusterRoleBinding", namespaced=False
)
NODE_POOLS = Resource("karpenter.sh", "nodepools", "NodePool", namespaced=False, generation=True)
NODE_CLAIMS = Resource("karpenter.sh", "nodeclaims", "NodeClaim", namespaced=False, generation=True)
LOCAL_QUEUES = Resource("kueue.x-k8s.io", "localqueues", "LocalQueue", generation=True, version="v1beta1")

ALL = (
    NAMESPACES, NODES, PODS, EVENTS, QUOTAS, LIMIT_RANGES, CONFIG_MAPS, SECRETS, SERVICE_ACCOUNTS, JOBS,
    NETWORK_POLICIES, PRIORITY_CLASSES, LEASES, ROLES, ROLE_BINDINGS, CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS,
    NODE_POOLS, NODE_CLAIMS, LOCAL_QUEUES,
)  # fmt: skip
BY_PATH = {(r.group, r.version, r.plural): r for r in ALL}
