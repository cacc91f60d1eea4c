"""What clients ask first: version, health, and which kinds there are."""

from __future__ import annotations

from typing import Any

from localcluster.resources import ALL

VERSION = {
    "major": "1",
    "minor": "36",
    "gitVersion": "v1.36.2+local",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "2026-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "linux/amd64",
}
_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]


def plain(path: str) -> str | None:
    return "ok" if path in ("/healthz", "/livez", "/readyz") else None


def document(path: str) -> dict[str, Any] | None:
    steps = [step for step in path.split("/") if step]
    if steps == ["version"]:
        return VERSION
    if steps == ["api"]:
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
    if steps == ["apis"]:
        groups = sorted({resource.group for resource in ALL if resource.group})
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name) for name in groups]}
    if len(steps) == 2 and steps[0] == "api":
        return _kinds("", steps[1])
    if len(steps) == 3 and steps[0] == "apis":
        return _kinds(steps[1], steps[2])
    return None


def _group(name: str) -> dict[str, Any]:
    version = {"groupVersion": f"{name}/v1", "version": "v1"}
    return {"name": name, "versions": [version], "preferredVersion": version}


def _kinds(group: str, version: str) -> dict[str, Any] | None:
    kinds = [
        {"name": r.plural, "singularName": r.kind.lower(), "namespaced": r.namespaced, "kind": r.kind, "verbs": _VERBS}
        for r in ALL
        if (r.group, r.version) == (group, version)
    ]
    if not kinds:
        return None
    name = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": kinds}
