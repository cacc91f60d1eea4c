"""What the API server refuses about an object itself, in its own words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from localcluster import fields, quantity
from localcluster.errors import Cause, StatusError, bad_request, invalid
from localcluster.resources import JOBS, LIMIT_RANGES, NAMESPACES, PODS, QUOTAS, Resource

_LABEL = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_DNS_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_DNS_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_ROLE_KINDS = "rbac.authorization.k8s.io"


def check_shape(resource: Resource, body: dict[str, Any]) -> None:
    """What fails while the body is read: kind, metadata, types and quantities. Raises 400."""
    kind, version = body.get("kind") or resource.kind, body.get("apiVersion") or resource.api_version
    if (kind, version) != (resource.kind, resource.api_version):
        raise bad_request(f"{kind} in version {version} cannot be handled as a {resource.kind}")
    if not isinstance(body.get("metadata", {}), dict) or not isinstance(body.get("spec", {}), dict):
        raise _undecodable(resource, "json: cannot unmarshal into Go struct field")
    for value in _quantities(resource, body):
        try:
            quantity.parse(value)
        except quantity.BadQuantity as error:
            raise _undecodable(resource, str(error)) from None


def check_fields(resource: Resource, body: dict[str, Any]) -> None:
    """`fieldValidation=Strict`: unknown fields are refused. Raises 400."""
    if unknown := fields.unknown(resource, body):
        listed = ", ".join(f'unknown field "{path}"' for path in unknown)
        raise _undecodable(resource, f"strict decoding error: {listed}")


def _undecodable(resource: Resource, why: str) -> StatusError:
    return bad_request(f'{resource.kind} in version "v1" cannot be handled as a {resource.kind}: {why}')


def _quantities(resource: Resource, body: dict[str, Any]) -> Iterator[Any]:
    spec = body.get("spec", {})
    if resource is QUOTAS:
        yield from (spec.get("hard") or {}).values()
    elif resource is LIMIT_RANGES:
        for item in spec.get("limits", []):
            yield from (v for part in ("max", "min", "default", "defaultRequest") for v in item.get(part, {}).values())
    pod = spec if resource is PODS else spec.get("template", {}).get("spec", {}) if resource is JOBS else {}
    for container in pod.get("containers") or []:
        for part in ("requests", "limits"):
            yield from (container.get("resources", {}).get(part) or {}).values()
    for volume in pod.get("volumes") or []:
        if limit := (volume.get("emptyDir") or {}).get("sizeLimit"):
            yield limit


def check(resource: Resource, obj: dict[str, Any]) -> None:
    """What is wrong with a complete object, all at once. Raises 422."""
    causes = [*_check_name(resource, obj), *_check_labels(obj)]
    if resource is JOBS:
        causes += _check_job(obj)
    elif resource is PODS:
        causes += _check_pod_spec(obj["spec"], "spec")
    if causes:
        raise invalid(resource, obj["metadata"].get("name", ""), causes)


def _value(value: Any, why: str, field: str) -> Cause:
    return "FieldValueInvalid", f'Invalid value: "{value}": {why}', field


def _check_name(resource: Resource, obj: dict[str, Any]) -> Iterator[Cause]:
    name = obj["metadata"].get("name", "")
    if not name:
        yield "FieldValueRequired", "Required value: name or generateName is required", "metadata.name"
    elif resource is NAMESPACES:
        if len(name) > 63:
            yield _value(name, "must be no more than 63 bytes", "metadata.name")
        if not _DNS_LABEL.fullmatch(name):
            yield _value(name, _DNS_LABEL_TEXT, "metadata.name")
    elif resource.group != _ROLE_KINDS:
        if len(name) > 253:
            yield _value(name, "must be no more than 253 characters", "metadata.name")
        if not _DNS_SUBDOMAIN.fullmatch(name):
            yield _value(name, _SUBDOMAIN_TEXT, "metadata.name")


def _check_labels(obj: dict[str, Any]) -> Iterator[Cause]:
    for value in (obj["metadata"].get("labels") or {}).values():
        if not isinstance(value, str) or not _LABEL.fullmatch(value):
            yield _value(value, _LABEL_TEXT, "metadata.labels")
        elif len(value) > 63:
            yield _value(value, "must be no more than 63 bytes", "metadata.labels")


def _check_job(job: dict[str, Any]) -> Iterator[Cause]:
    spec, name = job["spec"], job["metadata"].get("name", "")
    template = spec.get("template", {}).get("spec", {})
    if len(name) > 63:  # the template's labels carry the name under two keys
        yield from [_value(name, "must be no more than 63 bytes", "spec.template.labels")] * 2
    restart = template.get("restartPolicy")
    if restart not in ("Never", "OnFailure"):
        text = 'Required value: valid values: "OnFailure", "Never"' if restart in (None, "Always") else ""
        yield "FieldValueRequired", text or f'Unsupported value: "{restart}"', "spec.template.spec.restartPolicy"
    if spec.get("podFailurePolicy"):
        if restart == "OnFailure":
            text = f'Invalid value: "{restart}": only "Never" is supported when podFailurePolicy is specified'
            yield from [("FieldValueInvalid", text, "spec.template.spec.restartPolicy")] * 2
        if (policy := spec.get("podReplacementPolicy", "Failed")) != "Failed":
            text = f'Unsupported value: "{policy}": supported values: "Failed"'
            yield "FieldValueNotSupported", text, "spec.podReplacementPolicy"
    if spec.get("completionMode") == "Indexed":
        text = "Forbidden: the local cluster runs NonIndexed Jobs only"
        yield "FieldValueForbidden", text, "spec.completionMode"
    for field in ("backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished", "parallelism", "completions"):
        value = spec.get(field)
        if isinstance(value, int) and value < 0:
            text = f"Invalid value: {value}: must be greater than or equal to 0"
            yield "FieldValueInvalid", text, f"spec.{field}"
    yield from _check_pod_spec(template, "spec.template.spec")


def _check_pod_spec(spec: dict[str, Any], path: str) -> Iterator[Cause]:
    containers = spec.get("containers") or []
    if not containers:
        yield "FieldValueRequired", "Required value", f"{path}.containers"
    if len(containers) > 1 or spec.get("initContainers"):
        text = "Forbidden: the local cluster runs pods of one container"
        yield "FieldValueForbidden", text, f"{path}.containers"
    volumes = {volume["name"] for volume in spec.get("volumes", [])}
    for index, container in enumerate(containers):
        where = f"{path}.containers[{index}]"
        for field in ("name", "image"):
            if not container.get(field):
                yield "FieldValueRequired", "Required value", f"{where}.{field}"
        for number, mount in enumerate(container.get("volumeMounts", [])):
            if mount.get("name") not in volumes:
                text = f'Not found: "{mount.get("name")}"'
                yield "FieldValueNotFound", text, f"{where}.volumeMounts[{number}].name"
        resources = container.get("resources", {})
        for key, asked in resources.get("requests", {}).items():
            limit = resources.get("limits", {}).get(key)
            if limit and quantity.parse(asked) > quantity.parse(limit):
                text = f'Invalid value: "{asked}": must be less than or equal to {key} limit of {limit}'
                yield "FieldValueInvalid", text, f"{where}.resources.requests"


def check_update(resource: Resource, old: dict[str, Any], new: dict[str, Any]) -> None:
    """What may not change any more. Raises 422."""
    name = new["metadata"]["name"]
    if resource is JOBS:
        causes = list(_check_job(new))
        for field in ("template", "selector", "completions", "podFailurePolicy"):
            before, after = old["spec"].get(field), new["spec"].get(field)
            movable = field == "template" and old["spec"].get("suspend") and not old["status"].get("startTime")
            if before != after and not movable:
                text = f"Invalid value: {after!r}: field is immutable"
                causes.append(("FieldValueInvalid", text, f"spec.{field}"))
        if causes:
            raise invalid(resource, name, causes)
    elif resource is PODS and not _same_pod_spec(old["spec"], new["spec"]):
        text = (
            "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
            "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to "
            "existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
            "previously negative)"
        )
        raise invalid(resource, name, [("FieldValueForbidden", text, "spec")])
    labels = list(_check_labels(new))
    if labels:
        raise invalid(resource, name, labels)


def _same_pod_spec(old: dict[str, Any], new: dict[str, Any]) -> bool:
    free = ("activeDeadlineSeconds", "tolerations")
    return {k: v for k, v in old.items() if k not in free} == {k: v for k, v in new.items() if k not in free}
