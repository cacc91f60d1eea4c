"""Is this cluster fit, and may this identity do what the code does? Each answer one line for the operator."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

import psycopg
from django.conf import settings
from django.db import DatabaseError

from clusterops import errors, installation
from clusterops.gateway import KubeApi
from clusterops.gateway.permissions import BIND, BY_METHOD, Identity, Right, needed_by
from clusterops.install import reach_check
from clusterops.objects.manifests import uses_kueue
from tenants.clusters import Cluster, first_cluster
from tenants.database import configuration_problem

OLDEST = (1, 28)


class Verdict(Enum):
    OK = "ok"
    MISSING = "MISSING"  # something does not work without it
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    verdict: Verdict
    subject: str
    text: str


def check(
    api: KubeApi, identity: Identity, cluster: Cluster | None = None, *, probe: bool = False
) -> Iterator[Finding]:
    """All findings in turn; with `probe` a pod in a tenant's namespace tries to reach the control plane.

    An unreachable cluster ends the list with its own line.
    """
    own = cluster or first_cluster()
    try:
        yield _version(api)
        namespaces = _tenant_namespaces(api, own)
        example = next((item["metadata"]["name"] for item in namespaces), "")
        for right in sorted(needed_by(identity)):
            yield _right(api, right, "" if is_cluster_wide(right, identity) else example or None)
        if identity == "reconciler":
            yield _right(api, BIND, "", name="sumok8-tenant")
            yield _pod_security(api, namespaces)
            if probe:
                yield _reach(api, example, own.service_url)
        if uses_kueue():
            yield _kueue(api, settings.KUEUE_CLUSTER_QUEUE)
        yield _optional(api, "karpenter.sh", "Karpenter", "machines come and go with the jobs")
        yield _optional(api, "metrics.k8s.io", "metrics", "kubectl top works; nothing of ours needs it")
    except errors.ClusterUnreachable as error:
        yield Finding(Verdict.MISSING, "cluster", str(error))


def check_database() -> Finding:
    """Does it answer, and does the reconciler reach it past any pooler?"""
    try:
        problem = configuration_problem()
    except (DatabaseError, psycopg.Error) as error:
        problem = f"does not answer: {error}".strip()
    return Finding(
        Verdict.MISSING if problem else Verdict.OK, "database", problem or "answers, without a pooler between"
    )


def _version(api: KubeApi) -> Finding:
    found = api.request("GET", "/version")
    numbers = tuple(int("".join(filter(str.isdigit, str(found.get(part, ""))) or "0")) for part in ("major", "minor"))
    fit = numbers >= OLDEST
    text = str(found.get("gitVersion", "unknown")) + ("" if fit else f": {OLDEST[0]}.{OLDEST[1]} or later is needed")
    return Finding(Verdict.OK if fit else Verdict.MISSING, "version", text)


def _tenant_namespaces(api: KubeApi, cluster: Cluster) -> list[dict[str, Any]]:
    query = {"labelSelector": installation.selector(cluster.label)}
    try:
        found = api.items("/api/v1/namespaces", query=query)
    except errors.Forbidden:  # the web's identity may not; the table below tells whether it should
        return []
    return [item for item in found if item.get("status", {}).get("phase") != "Terminating"]


def is_cluster_wide(right: Right, identity: Identity) -> bool:
    """Whether the manifests grant `right` everywhere, or only in tenants' namespaces through their RoleBinding."""
    _, resource, verb = right
    return identity == "web" or verb in {"list", "watch"} or resource in {"namespaces", "rolebindings", "nodepools"}


def _right(api: KubeApi, right: Right, namespace: str | None, *, name: str = "") -> Finding:
    """`namespace` empty: everywhere; None: in tenants' namespaces, of which there is none yet."""
    group, resource, verb = right
    users = ", ".join(method for method, rights in BY_METHOD.items() if right in rights) or "ensure_namespace"
    subject = f"{verb} {resource}" + (f".{group}" if group else "")
    if namespace is None:
        return Finding(Verdict.NOTE, subject, f"given with a tenant's namespace; there is none yet (for {users})")
    kind, _, sub = resource.partition("/")
    attributes = {
        "group": group,
        "resource": kind,
        "subresource": sub,
        "verb": verb,
        "namespace": namespace,
        "name": name,
    }
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    where = f"in {namespace}" if namespace else "everywhere"
    try:
        answer = api.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body=body)
    except errors.NotFound:
        return Finding(Verdict.NOTE, subject, "this cluster knows no access reviews")
    allowed = answer.get("status", {}).get("allowed", False)
    return Finding(Verdict.OK if allowed else Verdict.MISSING, subject, f"{where}, for {users}")


def _pod_security(api: KubeApi, namespaces: list[dict[str, Any]]) -> Finding:
    """A dry run of a pod that must be refused; with an identity that may make no pods, the labels only."""
    subject, label = "pod security", "pod-security.kubernetes.io/enforce"
    names = [item["metadata"]["name"] for item in namespaces]
    lax = [item["metadata"]["name"] for item in namespaces if item["metadata"]["labels"].get(label) != "restricted"]
    if lax:
        return Finding(Verdict.MISSING, subject, f"not enforced in {', '.join(lax[:5])}: label {label}=restricted")
    if not names:
        return Finding(Verdict.NOTE, subject, "no tenant's namespace yet to see it in")
    container = {"name": "probe", "image": "probe", "securityContext": {"privileged": True}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe"}, "spec": {"containers": [container]}}
    try:
        api.request("POST", f"/api/v1/namespaces/{names[0]}/pods", query={"dryRun": "All"}, body=pod)
    except errors.Forbidden as error:
        if "violates PodSecurity" in str(error):
            return Finding(Verdict.OK, subject, f"restricted, seen in {names[0]}")
        return Finding(Verdict.OK, subject, "labels are set; an administrator's identity can see whether they work")
    return Finding(Verdict.MISSING, subject, f"{names[0]} is labelled restricted, yet a privileged pod is accepted")


def _reach(api: KubeApi, namespace: str, url: str) -> Finding:
    if not namespace:
        return Finding(Verdict.NOTE, reach_check.SUBJECT, "no tenant's namespace yet to try it from")
    works, text = reach_check.reach(api, namespace, url)
    verdict = {True: Verdict.OK, False: Verdict.MISSING, None: Verdict.NOTE}[works]
    return Finding(verdict, reach_check.SUBJECT, text)


def _kueue(api: KubeApi, queue: str) -> Finding:
    """With QUEUEING=kueue: its kinds are known, and the ClusterQueue that tenants' LocalQueues name is there."""
    subject, group = "Kueue", "/apis/kueue.x-k8s.io/v1beta1"
    try:
        kinds = {str(each.get("name")) for each in api.request("GET", group).get("resources", [])}
    except errors.Refused:
        kinds = set()
    if lacking := {"localqueues", "clusterqueues"} - kinds:
        text = f"QUEUEING=kueue, but the cluster has no {' and '.join(sorted(lacking))}: install Kueue"
        return Finding(Verdict.MISSING, subject, text)
    try:
        api.request("GET", f"{group}/clusterqueues/{queue}")
    except errors.Forbidden:
        text = f"installed; whether the ClusterQueue {queue} is there an administrator's identity can see"
        return Finding(Verdict.NOTE, subject, text)
    except errors.NotFound:
        return Finding(Verdict.MISSING, subject, f"there is no ClusterQueue {queue}: make it, or KUEUE_CLUSTER_QUEUE")
    return Finding(Verdict.OK, subject, f"installed, and the ClusterQueue {queue} is there")


def _optional(api: KubeApi, group: str, subject: str, meaning: str) -> Finding:
    try:
        api.request("GET", f"/apis/{group}")
    except errors.Refused:
        return Finding(Verdict.NOTE, subject, "not there")
    return Finding(Verdict.OK, subject, f"there: {meaning}")
