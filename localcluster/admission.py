"""What a namespace lets in: limit ranges (defaults and bounds), pod security, resource quotas with live usage."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from localcluster import defaults, podsecurity, podstatus, quantity
from localcluster.errors import forbidden
from localcluster.resources import JOBS, LIMIT_RANGES, NAMESPACES, PODS, QUOTAS, Resource
from localcluster.store import Change, Store, Stored

Amounts = dict[str, Decimal]


def check_namespace(store: Store, resource: Resource, namespace: str, name: str) -> None:
    """404 if there is none; 403 with the cause NamespaceTerminating if it is going away."""
    found = store.get(NAMESPACES, "", namespace)
    if "deletionTimestamp" in found.meta:
        why = f"unable to create new content in namespace {namespace} because it is being terminated"
        cause = ("NamespaceTerminating", f"namespace {namespace} is being terminated", "metadata.namespace")
        raise forbidden(resource, name, why, [cause])


def admit_pod(store: Store, quotas: Quotas, pod: dict[str, Any]) -> None:
    """Changes `pod` (limit range defaults, priority) or raises 403. Quota comes last, as in the API server."""
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    defaults.set_priority(pod, store)
    for limits in store.objects(LIMIT_RANGES, namespace):
        _apply_limit_range(pod, limits.obj["spec"].get("limits", []), name)
    pod["status"]["qosClass"] = podstatus.qos_class(pod)
    labels = store.get(NAMESPACES, "", namespace).meta.get("labels", {})
    if text := podsecurity.refusal(labels, pod["spec"], "enforce"):
        raise forbidden(PODS, name, text.replace("violate ", "violates ", 1))
    admit_quota(quotas, PODS, pod)


def job_warning(store: Store, job: dict[str, Any]) -> str | None:
    """The text of the Warning header: the Job is accepted, its pods will not be."""
    labels = store.get(NAMESPACES, "", job["metadata"]["namespace"]).meta.get("labels", {})
    text = podsecurity.refusal(labels, job["spec"]["template"]["spec"], "warn")
    return f"would {text}" if text else None


def admit_quota(quotas: Quotas, resource: Resource, obj: dict[str, Any]) -> None:
    namespace, name = obj["metadata"]["namespace"], obj["metadata"]["name"]
    for quota in quotas.store.objects(QUOTAS, namespace):
        hard = {key: quantity.parse(value) for key, value in quota.obj["spec"]["hard"].items()}
        asked = {key: value for key, value in _usage_of(resource, obj).items() if key in hard}
        if resource is PODS:
            _require_stated(obj, quota.key[1], hard)
        used = quotas.used(namespace)
        over = [key for key, value in sorted(asked.items()) if used.get(key, Decimal(0)) + value > hard[key]]
        if over:
            requested, present, limited = (_amounts(part, over) for part in (asked, used, hard))
            why = f"exceeded quota: {quota.key[1]}, requested: {requested}, used: {present}, limited: {limited}"
            raise forbidden(resource, name, why)


def _require_stated(pod: dict[str, Any], quota: str, hard: Amounts) -> None:
    missing: list[str] = []
    for key in sorted(hard):
        part, _, resource_name = key.partition(".")
        if part not in ("requests", "limits"):
            part, resource_name = "requests", key
        if resource_name not in ("cpu", "memory", "ephemeral-storage"):
            continue
        without = [c["name"] for c in pod["spec"]["containers"] if resource_name not in c["resources"].get(part, {})]
        if without:
            missing.append(f"{key} for: {','.join(without)}")
    if missing:
        raise forbidden(PODS, pod["metadata"]["name"], f"failed quota: {quota}: must specify {'; '.join(missing)}")


def _amounts(amounts: Amounts, keys: list[str]) -> str:
    return ",".join(f"{k}={quantity.render(amounts.get(k, Decimal(0)), binary=quantity.is_binary(k))}" for k in keys)


def _usage_of(resource: Resource, obj: dict[str, Any]) -> Amounts:
    """What one object takes from quotas; a finished pod takes only its count."""
    used: Amounts = {f"count/{resource.qualified}": Decimal(1)}
    if resource is not PODS or podstatus.is_terminal(obj):
        return used
    used["pods"] = Decimal(1)
    for name, amount in podstatus.requests(obj).items():
        used |= {name: amount, f"requests.{name}": amount}
    for name, amount in podstatus.requests(obj, "limits").items():
        used[f"limits.{name}"] = amount
    return used


class Quotas:
    """What each namespace uses, counted change by change, and `status` of quotas kept true to it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.stale: set[str] = {quota.key[0] for quota in store.objects(QUOTAS)}
        self._used: dict[str, Amounts] = {}
        for resource in (PODS, JOBS):
            for stored in store.objects(resource):
                self._count(stored, 1)

    def used(self, namespace: str) -> Amounts:
        return self._used.get(namespace, {})

    def notice(self, change: Change) -> None:
        if change.resource in (PODS, JOBS):
            if change.old:
                self._count(change.old, -1)
            if change.type != "DELETED":
                self._count(change.new, 1)
        elif change.resource is not QUOTAS:
            return
        self.stale.add(change.new.key[0])

    def _count(self, stored: Stored, sign: int) -> None:
        total = self._used.setdefault(stored.key[0], {})
        for key, amount in _usage_of(stored.resource, stored.obj).items():
            total[key] = total.get(key, Decimal(0)) + sign * amount

    def refresh(self) -> None:
        stale, self.stale = self.stale, set()
        for namespace in stale:
            used = self.used(namespace)
            for quota in self.store.objects(QUOTAS, namespace):
                hard = quota.obj["spec"]["hard"]
                shown = {
                    key: quantity.render(used.get(key, Decimal(0)), binary=quantity.is_binary(key))
                    for key in sorted(hard)
                }
                if quota.obj.get("status") != {"hard": hard, "used": shown}:
                    self.store.update(QUOTAS, quota.clone() | {"status": {"hard": hard, "used": shown}})


def _apply_limit_range(pod: dict[str, Any], items: list[dict[str, Any]], name: str) -> None:
    notes: list[str] = []
    for item in (item for item in items if item.get("type") == "Container"):
        for container in pod["spec"]["containers"]:
            resources = container["resources"]
            for part, source in (("requests", "defaultRequest"), ("limits", "default")):
                missing = {k: v for k, v in item.get(source, {}).items() if k not in resources.get(part, {})}
                if missing:
                    resources[part] = resources.get(part, {}) | missing
                    notes.append(f"{', '.join(sorted(missing))} {part[:-1]} for container {container['name']}")
            _check_bounds(item, resources, name)
    if notes:
        annotations = pod["metadata"].setdefault("annotations", {})
        annotations["kubernetes.io/limit-ranger"] = "LimitRanger plugin set: " + "; ".join(notes)


def _check_bounds(item: dict[str, Any], resources: dict[str, Any], name: str) -> None:
    for key, bound in item.get("max", {}).items():
        for part in ("limits", "requests"):
            asked = resources.get(part, {}).get(key)
            if asked and quantity.parse(asked) > quantity.parse(bound):
                why = f"maximum {key} usage per Container is {bound}, but {part[:-1]} is {asked}"
                raise forbidden(PODS, name, why)
    for key, bound in item.get("min", {}).items():
        asked = resources.get("requests", {}).get(key)
        if asked and quantity.parse(asked) < quantity.parse(bound):
            raise forbidden(PODS, name, f"minimum {key} usage per Container is {bound}, but request is {asked}")
