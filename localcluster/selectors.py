"""Label and field selectors of list and watch requests."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from localcluster.errors import bad_request
from localcluster.resources import EVENTS, JOBS, NAMESPACES, NODES, PODS, Resource

Predicate = Callable[[dict[str, Any]], bool]
_SET = re.compile(r"([^\s!=,()]+)\s+(in|notin)\s+\(([^()]*)\)")
_EQUAL = re.compile(r"([^\s!=,()]+)\s*(==|=|!=)\s*([^\s!=,()]*)")
_EXISTS = re.compile(r"(!?)\s*([^\s!=,()]+)")
_FIELDS = {
    PODS.plural: ("status.phase", "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "status.podIP"),
    JOBS.plural: ("status.successful",),
    NAMESPACES.plural: ("status.phase",),
    NODES.plural: ("spec.unschedulable",),
    EVENTS.plural: (
        "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
        "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath",
        "reason", "reportingComponent", "source", "type",
    ),
}  # fmt: skip


def labels_predicate(text: str) -> Predicate | None:
    """Equality, set-based and existence requirements, joined by commas; None selects everything."""
    tests = [_requirement(part.strip()) for part in re.split(r",(?![^()]*\))", text) if part.strip()]
    if not tests:
        return None

    def matches(obj: dict[str, Any]) -> bool:
        labels = obj["metadata"].get("labels") or {}
        return all(test(labels) for test in tests)

    return matches


def _requirement(text: str) -> Callable[[dict[str, str]], bool]:
    if found := _SET.fullmatch(text):
        key, operator, rest = found.groups()
        values = {value.strip() for value in rest.split(",")}
        if operator == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if found := _EQUAL.fullmatch(text):
        key, operator, value = found.groups()
        if operator == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if found := _EXISTS.fullmatch(text):
        absent, key = found.groups()
        return (lambda labels: key not in labels) if absent else (lambda labels: key in labels)
    raise bad_request(f"unable to parse requirement: found '{text}', expected: a label requirement")


def fields_predicate(resource: Resource, text: str) -> Predicate | None:
    """Equality requirements on the fields that the API server supports for this kind."""
    tests: list[Predicate] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = _EQUAL.fullmatch(part)
        if not found:
            raise bad_request(f"invalid selector: '{part}'; can't understand '{part}'")
        path, operator, value = found.groups()
        if path not in ("metadata.name", "metadata.namespace", *_FIELDS.get(resource.plural, ())):
            raise bad_request(f"field label not supported: {path}")
        tests.append(_field_test(path, value, wanted=operator != "!="))
    if not tests:
        return None
    return lambda obj: all(test(obj) for test in tests)


def _field_test(path: str, value: str, *, wanted: bool) -> Predicate:
    steps = path.split(".")
    if path == "status.successful":
        steps = ["status", "succeeded"]
    elif path == "source":
        steps = ["source", "component"]

    def test(obj: dict[str, Any]) -> bool:
        found: Any = obj
        for step in steps:
            found = found.get(step) if isinstance(found, dict) else None
        if path == "source" and not found:
            found = obj.get("reportingComponent")
        if isinstance(found, bool):
            found = str(found).lower()
        missing = "0" if path == "status.successful" else "false" if path == "spec.unschedulable" else ""
        return (str(missing if found is None else found) == value) is wanted

    return test
