"""What we write to the cluster, as plain dicts. Pure: the same tenant, run and settings give the same manifest."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from clusterops import installation
from clusterops.contract import NamespaceSpec, RunSpec
from simulations.sumo.protocol.endings import EXIT_CODES, Outcome

MANAGED_BY, INSTALLATION, CLUSTER = installation.MANAGED_BY, installation.INSTALLATION, installation.CLUSTER
TENANT = "sumok8.io/tenant"
JOB_ID = "sumok8.io/job-id"
ATTEMPT = "sumok8.io/attempt"
CONTAINER = "sumo"
API_PATHS = {
    "namespaces": "/api/v1",
    "nodes": "/api/v1",
    "pods": "/api/v1",
    "events": "/api/v1",
    "resourcequotas": "/api/v1",
    "limitranges": "/api/v1",
    "jobs": "/apis/batch/v1",
    "networkpolicies": "/apis/networking.k8s.io/v1",
    "nodepools": "/apis/karpenter.sh/v1",
    "localqueues": "/apis/kueue.x-k8s.io/v1beta1",
    "rolebindings": "/apis/rbac.authorization.k8s.io/v1",
}
QUEUE_NAME = "kueue.x-k8s.io/queue-name"
LOCAL_QUEUE = "sumok8"
NOBODY = 65534
GRACE_S = 60  # the runner stops SUMO, collects and uploads what there is
DEADLINE_SLACK_S = 300  # the runner's own limit comes first and keeps partial results
# The runner's verdicts: running the same pod again would not change them.
RUNNER_EXIT_CODES = sorted(set(EXIT_CODES.values()) - {0})
INTERRUPTED = EXIT_CODES[Outcome.INTERRUPTED]
WORK, TMP, TERMINATION_LOG = "/work", "/tmp", "/dev/termination-log"  # noqa: S108 - inside the container


def labels(tenant_id: str, cluster: str = "") -> dict[str, str]:
    """On every object of ours."""
    own = {MANAGED_BY: "sumok8", INSTALLATION: installation.own_id(), TENANT: tenant_id}
    return own | ({CLUSTER: cluster} if cluster else {})


def group_of(kind: str) -> str:
    """Its API group; empty for the core's."""
    return API_PATHS[kind].removeprefix("/api/v1").removeprefix("/apis/").partition("/")[0]


def namespace(tenant: NamespaceSpec) -> dict[str, Any]:
    restricted = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": tenant.namespace, "labels": labels(tenant.tenant_id, tenant.cluster) | restricted},
    }


def uses_kueue() -> bool:
    return bool(settings.QUEUEING == "kueue")


def _object(api_version: str, kind: str, name: str, tenant: NamespaceSpec, **content: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": tenant.namespace, "labels": labels(tenant.tenant_id, tenant.cluster)}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}


def role_binding(tenant: NamespaceSpec) -> dict[str, Any]:
    """The reconciler may write Jobs and quotas in tenants' namespaces only; see deploy/base/rbac-reconciler.yaml."""
    return _object(
        "rbac.authorization.k8s.io/v1",
        "RoleBinding",
        "sumok8-reconciler",
        tenant,
        roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "sumok8-tenant"},
        subjects=[{"kind": "ServiceAccount", "name": "sumok8-reconciler", "namespace": settings.CONTROLLER_NAMESPACE}],
    )


def quota(tenant: NamespaceSpec) -> dict[str, Any]:
    """The cluster's own backstop behind the dispatcher. Pods: replacements may start while old ones still end."""
    hard = {
        "requests.cpu": str(tenant.max_cpu),
        "requests.memory": f"{tenant.max_memory_gi}Gi",
        "pods": str(max(10, 2 * tenant.max_concurrent_jobs)),
    }
    return _object("v1", "ResourceQuota", f"{tenant.namespace}-quota", tenant, spec={"hard": hard})


def limit_range(tenant: NamespaceSpec) -> dict[str, Any]:
    """For containers that name no resources, such as an operator's debugging pod: the quota refuses those."""
    defaults = {
        "type": "Container",
        "default": {"memory": "1Gi"},
        "defaultRequest": {"cpu": "100m", "memory": "256Mi"},
    }
    return _object("v1", "LimitRange", f"{tenant.namespace}-limits", tenant, spec={"limits": [defaults]})


def isolation(tenant: NamespaceSpec) -> dict[str, Any]:
    """Pods take no connection and open them only to DNS, to the control plane and, when it is used, to S3."""
    web = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": settings.CONTROLLER_NAMESPACE}},
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "sumok8-web"}},
    }
    egress: list[dict[str, Any]] = [
        _dns(),
        # A policy sees the pod behind the Service, so the port is the web container's.
        {"to": [web], "ports": [{"protocol": "TCP", "port": 8000}]},
    ]
    if settings.S3_BUCKET:  # presigned downloads and uploads
        egress.append(_outside(settings.S3_ENDPOINT_URL or "https://s3.amazonaws.com"))
    if tenant.service_url:
        egress.append(_outside(tenant.service_url))
    spec = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "egress": egress}
    return _object("networking.k8s.io/v1", "NetworkPolicy", f"{tenant.namespace}-isolation", tenant, spec=spec)


def _outside(url: str) -> dict[str, Any]:
    """A service beyond the cluster, by its port alone. Never the clouds' metadata service."""
    address = urlsplit(url)
    port = address.port or (80 if address.scheme == "http" else 443)
    anywhere = {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}}
    return {"to": [anywhere], "ports": [{"protocol": "TCP", "port": port}]}


def _dns() -> dict[str, Any]:
    """Name servers may be pods, or live outside the pods' network: on the machines, link-local, in the cloud."""
    ports = [{"protocol": protocol, "port": port} for port in settings.RUNNER_DNS_PORTS for protocol in ("UDP", "TCP")]
    if "any" in settings.RUNNER_DNS_CIDRS:
        return {"ports": ports}
    places = [{"ipBlock": {"cidr": cidr}} for cidr in settings.RUNNER_DNS_CIDRS]
    return {"to": [{"namespaceSelector": {}}, *places], "ports": ports}


def local_queue(tenant: NamespaceSpec) -> dict[str, Any]:
    """By which a tenant's Jobs wait for the operator's ClusterQueue."""
    spec = {"clusterQueue": settings.KUEUE_CLUSTER_QUEUE}
    return _object("kueue.x-k8s.io/v1beta1", "LocalQueue", LOCAL_QUEUE, tenant, spec=spec)


Builders = dict[str, Callable[[NamespaceSpec], dict[str, Any]]]
# What belongs into a tenant's namespace, by kind, in the order to write it: the right to write the rest comes first.
# A new kind needs its row in `API_PATHS`; the reconciler's rights follow, see `gateway/permissions.py`.
TENANT_OBJECTS: Builders = {
    "rolebindings": role_binding,
    "resourcequotas": quota,
    "limitranges": limit_range,
    "networkpolicies": isolation,
}
KUEUE_OBJECTS: Builders = {"localqueues": local_queue}


def _tenant_builders() -> Builders:
    return TENANT_OBJECTS | KUEUE_OBJECTS if uses_kueue() else TENANT_OBJECTS


def tenant_kinds() -> tuple[str, ...]:
    """Kinds of `tenant_objects`."""
    return tuple(_tenant_builders())


def tenant_objects(tenant: NamespaceSpec) -> list[tuple[str, dict[str, Any]]]:
    """(kind, manifest) of each, in the order to write them."""
    return [(kind, build(tenant)) for kind, build in _tenant_builders().items()]


def job(spec: RunSpec) -> dict[str, Any]:
    """One attempt of a job. Where a field is not obvious, its reason was seen on a real cluster."""
    own = labels(spec.tenant_id, spec.cluster) | {JOB_ID: spec.job_id, ATTEMPT: str(spec.attempt)}
    final, queued, held = RUNNER_EXIT_CODES, {}, {}
    if uses_kueue():
        # Kueue starts it, and stops it where others come first: its pod then ends as interrupted, which is no verdict.
        final = [code for code in RUNNER_EXIT_CODES if code != INTERRUPTED]
        queued, held = {QUEUE_NAME: LOCAL_QUEUE}, {"suspend": True}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": spec.name, "namespace": spec.namespace, "labels": own | queued},
        "spec": {
            **held,
            "backoffLimit": 0,
            # A pod that the cluster takes away is replaced and not counted; a verdict of the runner is final.
            "podFailurePolicy": {
                "rules": [
                    {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
                    {
                        "action": "FailJob",
                        "onExitCodes": {"containerName": CONTAINER, "operator": "In", "values": final},
                    },
                ]
            },
            "podReplacementPolicy": "Failed",  # never two pods of one attempt at once
            "ttlSecondsAfterFinished": settings.JOB_TTL_SECONDS,
            "template": {
                "metadata": {
                    "labels": own,
                    "annotations": {
                        "karpenter.sh/do-not-disrupt": "true",
                        "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
                    },
                },
                "spec": _pod(spec),
            },
        },
    }


def _pod(spec: RunSpec) -> dict[str, Any]:
    limits = spec.description["limits"]
    disk_mi = (limits["unpacked_bytes"] + 2 * limits["output_bytes"]) // 2**20 + 1024
    pod: dict[str, Any] = {
        "restartPolicy": "Never",
        # On the pod, not on the Job: the Job's deadline deletes the pod before anyone can read why.
        "activeDeadlineSeconds": spec.wall_s + DEADLINE_SLACK_S,
        "terminationGracePeriodSeconds": GRACE_S,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": NOBODY,
            "runAsGroup": NOBODY,
            "fsGroup": NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumes": [
            {"name": "work", "emptyDir": {"sizeLimit": f"{disk_mi}Mi"}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "512Mi"}},
        ],
        "containers": [_container(spec, disk_mi)],
    }
    if settings.RUNNER_NODE_SELECTOR:
        pod["nodeSelector"] = dict(settings.RUNNER_NODE_SELECTOR)
    if settings.RUNNER_TOLERATIONS:
        pod["tolerations"] = [{"key": key, "operator": "Exists"} for key in settings.RUNNER_TOLERATIONS]
    return pod


def _container(spec: RunSpec, disk_mi: int) -> dict[str, Any]:
    env = {
        "SCENARIO_ID": spec.scenario_id,
        "JOB_ID": spec.description["job_id"],
        "SUMOK8_URL": spec.service_url or settings.RUNNER_URL,
        "SUMOK8_TOKEN": spec.token,
        "SUMOK8_JOB": json.dumps(dict(spec.description)),
        "WORK_DIR": WORK,
        "TMPDIR": TMP,
        "HOME": TMP,
        "TERMINATION_MESSAGE_PATH": TERMINATION_LOG,
    }
    return {
        "name": CONTAINER,
        "image": settings.RUNNER_IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-m", "simulations.sumo"],
        "env": [{"name": name, "value": _literal(value)} for name, value in env.items()],
        "resources": {
            "requests": {"cpu": str(spec.cpu), "memory": f"{spec.memory_gi}Gi", "ephemeral-storage": "1Gi"},
            # No CPU limit: throttling would slow a run on an idle machine. Memory: what was asked for, no more.
            "limits": {"memory": f"{spec.memory_gi}Gi", "ephemeral-storage": f"{disk_mi + 1024}Mi"},
        },
        "volumeMounts": [{"name": "work", "mountPath": WORK}, {"name": "tmp", "mountPath": TMP}],
        "terminationMessagePath": TERMINATION_LOG,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _literal(value: str) -> str:
    """Kubernetes fills in `$(NAME)` in a variable's value, and makes `$$` one dollar: a file that a tenant named
    `$(SUMOK8_TOKEN).sumocfg` would bring the token into messages and logs."""
    return value.replace("$", "$$")
