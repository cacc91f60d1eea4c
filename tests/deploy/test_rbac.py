"""The RBAC manifests give each identity what the gateway's methods use, in the smallest place, and nothing else."""

import inspect
import re
from pathlib import Path

import pytest

from clusterops.gateway import Gateway, permissions
from clusterops.gateway.permissions import Identity, Right
from clusterops.install import kustomize
from clusterops.install.cluster_check import is_cluster_wide

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
BASE = kustomize.build(DEPLOY / "base")
VERBS = {"get", "list", "watch", "create", "patch", "delete"}


def find(kind: str, name: str) -> kustomize.Manifest:
    (found,) = [one for one in BASE if one["kind"] == kind and one["metadata"]["name"] == name]
    return found


def rights(role: str) -> list[Right]:
    return [
        (group, resource, verb)
        for rule in find("ClusterRole", role)["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]


def needed(identity: Identity, *, everywhere: bool) -> set[Right]:
    return {right for right in permissions.needed_by(identity) if is_cluster_wide(right, identity) == everywhere}


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("sumok8-web", needed("web", everywhere=True)),
        ("sumok8-reconciler", needed("reconciler", everywhere=True) | {permissions.BIND}),
        ("sumok8-tenant", needed("reconciler", everywhere=False)),
    ],
)
def test_roles_are_what_the_code_uses(role: str, expected: set[Right]) -> None:
    granted = rights(role)
    assert len(granted) == len(set(granted)), "granted twice"
    assert set(granted) == expected


def told(identity: str) -> set[tuple[str, str]]:
    """(verb, resource) of its rows in the table under “Permissions”; `bind`, which is told in words, apart."""
    section = (DEPLOY.parent / "docs" / "operations.md").read_text().partition("\n## Permissions\n")[2]
    found, who = set(), ""
    for row in section.partition("\n## ")[0].splitlines():
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if len(cells) == 4:
            who = cells[0] or who
            words = re.findall(r"[a-z/]+", re.sub(r"\(.*?\)|;.*| and ", " ", cells[2]))
            if who == identity:
                found |= {(verb, what) for verb in VERBS & set(words) for what in set(words) - VERBS}
    return found


@pytest.mark.parametrize(
    ("identity", "role"),
    [
        ("`sumok8-web`", "sumok8-web"),
        ("`sumok8-reconciler`", "sumok8-reconciler"),
        ("`sumok8-reconciler` through RoleBinding `sumok8-reconciler`", "sumok8-tenant"),
    ],
)
def test_the_operators_page_tells_them_all(identity: str, role: str) -> None:
    assert told(identity) == {(verb, what) for _, what, verb in rights(role) if verb != "bind"}


def test_every_gateway_method_tells_its_rights() -> None:
    methods = {name for name, _ in inspect.getmembers(Gateway, inspect.isfunction) if not name.startswith("_")}
    assert methods == permissions.BY_METHOD.keys()


def test_the_web_writes_nothing() -> None:
    assert {verb for _, _, verb in rights("sumok8-web")} <= {"get", "list", "watch"}


def test_the_reconciler_writes_everywhere_only_what_makes_a_tenants_namespace() -> None:
    writes = {right for right in rights("sumok8-reconciler") if right[2] not in {"get", "list", "watch"}}
    assert writes == {
        ("", "namespaces", "create"),
        ("", "namespaces", "patch"),
        ("rbac.authorization.k8s.io", "rolebindings", "create"),
        ("rbac.authorization.k8s.io", "rolebindings", "patch"),
        permissions.BIND,
    }


def test_bind_is_for_the_one_role() -> None:
    (rule,) = [rule for rule in find("ClusterRole", "sumok8-reconciler")["rules"] if "bind" in rule["verbs"]]
    assert rule["resourceNames"] == ["sumok8-tenant"]


def test_each_role_is_bound_to_its_own_account_alone() -> None:
    bound = {
        binding["roleRef"]["name"]: [(subject["kind"], subject["name"]) for subject in binding["subjects"]]
        for binding in BASE
        if binding["kind"] == "ClusterRoleBinding"
    }
    assert bound == {
        "sumok8-web": [("ServiceAccount", "sumok8-web")],
        "sumok8-reconciler": [("ServiceAccount", "sumok8-reconciler")],
    }
    assert not [one for one in BASE if one["kind"] in {"RoleBinding", "Role"}]
