"""Values that the API server fills in when an object is created."""

from __future__ import annotations

import secrets
from typing import Any

from localcluster import podstatus, quantity
from localcluster.resources import (
    JOBS,
    LIMIT_RANGES,
    NAMESPACES,
    NETWORK_POLICIES,
    NODES,
    PODS,
    PRIORITY_CLASSES,
    QUOTAS,
    Resource,
)
from localcluster.store import Store

_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"  # no vowels, no look-alikes: as the API server
_TOLERATIONS = [
    {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
    for key in ("not-ready", "unreachable")
]


def random_suffix(length: int = 5) -> str:
    return "".join(secrets.choice(_SUFFIX) for _ in range(length))


def apply(resource: Resource, obj: dict[str, Any]) -> None:
    """Fills `obj` in place. The caller has checked that it is well formed."""
    canonical(resource, obj)
    meta = obj["metadata"]
    if meta.get("generateName") and not meta.get("name"):
        meta["name"] = meta["generateName"] + random_suffix()
    if resource is NAMESPACES:
        meta.setdefault("labels", {})["kubernetes.io/metadata.name"] = meta["name"]
        obj["spec"] = {"finalizers": ["kubernetes"]}
        obj["status"] = {"phase": "Active"}
    elif resource is JOBS:
        _job(obj)
    elif resource is PODS:
        _pod_spec(obj["spec"], in_template=False)
        obj["status"] = {"phase": "Pending", "qosClass": podstatus.qos_class(obj)}
    elif resource is QUOTAS:
        obj.setdefault("spec", {}).setdefault("hard", {})
        obj.setdefault("status", {})
    elif resource is LIMIT_RANGES:
        for item in obj.get("spec", {}).get("limits", []):
            _limit_range_item(item)
    elif resource is NETWORK_POLICIES:
        spec = obj.setdefault("spec", {})
        spec.setdefault("podSelector", {})
        kinds = ["Ingress", "Egress"] if spec.get("egress") is not None else ["Ingress"]
        spec.setdefault("policyTypes", kinds)
    elif resource is NODES:
        obj.setdefault("spec", {})
        obj.setdefault("status", {})


def canonical(resource: Resource, obj: dict[str, Any]) -> None:
    """Print the quantities of `obj` as the API server does with whatever it has read."""
    spec = obj.get("spec") or {}
    if resource is QUOTAS:
        _print(spec, ("hard",))
    elif resource is LIMIT_RANGES:
        for item in spec.get("limits", []):
            _print(item, ("max", "min", "default", "defaultRequest"))
    pod = spec if resource is PODS else spec.get("template", {}).get("spec", {}) if resource is JOBS else {}
    for container in pod.get("containers") or []:
        _print(container.get("resources") or {}, ("limits", "requests"))
    for volume in pod.get("volumes") or []:
        if (volume.get("emptyDir") or {}).get("sizeLimit"):
            volume["emptyDir"]["sizeLimit"] = quantity.canonical(volume["emptyDir"]["sizeLimit"])


def _print(owner: dict[str, Any], parts: tuple[str, ...]) -> None:
    for part in parts:
        if owner.get(part):
            owner[part] = {name: quantity.canonical(value) for name, value in owner[part].items()}


def _job(job: dict[str, Any]) -> None:
    spec = job["spec"]
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", 6)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("manualSelector", False)
    policy = spec.get("podFailurePolicy")
    spec.setdefault("podReplacementPolicy", "Failed" if policy else "TerminatingOrFailed")
    for rule in (policy or {}).get("rules", []):
        for pattern in rule.get("onPodConditions", []):
            pattern.setdefault("status", "True")
    _pod_spec(spec["template"]["spec"], in_template=True)
    job["status"] = {}


def stamp_job_labels(job: dict[str, Any]) -> None:
    """The selector and the labels of the template name the Job's uid, so they come after it has one."""
    uid, name = job["metadata"]["uid"], job["metadata"]["name"]
    job["spec"]["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    labels = job["spec"]["template"].setdefault("metadata", {}).setdefault("labels", {})
    labels |= {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": name,
        "controller-uid": uid,
        "job-name": name,
    }


def _pod_spec(spec: dict[str, Any], *, in_template: bool) -> None:
    for container in spec.get("containers", []):
        container.setdefault("terminationMessagePath", "/dev/termination-log")
        container.setdefault("terminationMessagePolicy", "File")
        latest = ":" not in container["image"].rpartition("/")[2] or container["image"].endswith(":latest")
        container.setdefault("imagePullPolicy", "Always" if latest else "IfNotPresent")
        resources = container.setdefault("resources", {})
        if limits := resources.get("limits"):
            resources["requests"] = limits | resources.get("requests", {})
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("securityContext", {})
    spec.setdefault("schedulerName", "default-scheduler")
    if in_template:
        return
    spec.setdefault("serviceAccountName", "default")
    spec.setdefault("serviceAccount", spec["serviceAccountName"])
    spec.setdefault("enableServiceLinks", True)
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
    present = {t.get("key") for t in spec.get("tolerations", []) if t.get("effect") in ("NoExecute", None)}
    missing = [t for t in _TOLERATIONS if t["key"] not in present]
    spec["tolerations"] = [*spec.get("tolerations", []), *missing]


def _limit_range_item(item: dict[str, Any]) -> None:
    if item.get("type") == "Container":
        default = {**item.get("max", {}), **item.get("default", {})}
        wanted = {**item.get("min", {}), **default, **item.get("defaultRequest", {})}
        item |= ({"default": default} if default else {}) | ({"defaultRequest": wanted} if wanted else {})


def set_priority(pod: dict[str, Any], store: Store) -> None:
    name = pod["spec"].get("priorityClassName")
    found = store.find(PRIORITY_CLASSES, ("", name)) if name else None
    pod["spec"]["priority"] = found.obj["value"] if found else 0
