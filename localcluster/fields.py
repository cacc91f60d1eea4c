"""Field names of Jobs and pods, for `fieldValidation=Strict`: a misspelt field is refused, as by the API server.

Only the levels where we write fields are known here; below them everything passes.
https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from localcluster.resources import JOBS, PODS, Resource

_TOP = {"apiVersion", "kind", "metadata", "spec", "status"}
_META = {
    "annotations", "creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "finalizers", "generateName",
    "generation", "labels", "managedFields", "name", "namespace", "ownerReferences", "resourceVersion", "selfLink",
    "uid",
}  # fmt: skip
_JOB = {
    "activeDeadlineSeconds", "backoffLimit", "backoffLimitPerIndex", "completionMode", "completions", "managedBy",
    "manualSelector", "maxFailedIndexes", "parallelism", "podFailurePolicy", "podReplacementPolicy", "selector",
    "successPolicy", "suspend", "template", "ttlSecondsAfterFinished",
}  # fmt: skip
_POD = {
    "activeDeadlineSeconds", "affinity", "automountServiceAccountToken", "containers", "dnsConfig", "dnsPolicy",
    "enableServiceLinks", "ephemeralContainers", "hostAliases", "hostIPC", "hostNetwork", "hostPID", "hostUsers",
    "hostname", "imagePullSecrets", "initContainers", "nodeName", "nodeSelector", "os", "overhead", "preemptionPolicy",
    "priority", "priorityClassName", "readinessGates", "resourceClaims", "resources", "restartPolicy",
    "runtimeClassName", "schedulerName", "schedulingGates", "securityContext", "serviceAccount", "serviceAccountName",
    "setHostnameAsFQDN", "shareProcessNamespace", "subdomain", "terminationGracePeriodSeconds", "tolerations",
    "topologySpreadConstraints", "volumes",
}  # fmt: skip
_CONTAINER = {
    "args", "command", "env", "envFrom", "image", "imagePullPolicy", "lifecycle", "livenessProbe", "name", "ports",
    "readinessProbe", "resizePolicy", "resources", "restartPolicy", "securityContext", "startupProbe", "stdin",
    "stdinOnce", "terminationMessagePath", "terminationMessagePolicy", "tty", "volumeDevices", "volumeMounts",
    "workingDir",
}  # fmt: skip


def unknown(resource: Resource, body: dict[str, Any]) -> list[str]:
    """Paths of fields that this kind does not have, as the API server names them."""
    if resource not in (JOBS, PODS):
        return []
    found = [*_beyond(body, _TOP, ""), *_beyond(body.get("metadata"), _META, "metadata.")]
    spec, path = body.get("spec") or {}, "spec."
    if resource is JOBS:
        found += _beyond(spec, _JOB, path)
        template = spec.get("template") or {}
        found += _beyond(template, {"metadata", "spec"}, "spec.template.")
        found += _beyond(template.get("metadata"), _META, "spec.template.metadata.")
        spec, path = template.get("spec") or {}, "spec.template.spec."
    found += _beyond(spec, _POD, path)
    for index, container in enumerate(spec.get("containers") or []):
        found += _beyond(container, _CONTAINER, f"{path}containers[{index}].")
    return found


def _beyond(value: Any, known: set[str], path: str) -> Iterator[str]:
    return (f"{path}{name}" for name in value or {} if name not in known)
