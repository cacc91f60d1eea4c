"""Our reader of deploy/ gives what kubectl gives, and refuses what it does not know."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from clusterops.install import kustomize

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
OVERLAYS = [".", "overlays/local", "overlays/production", "karpenter"]


def by_name(objects: list[kustomize.Manifest]) -> dict[str, kustomize.Manifest]:
    named = {kustomize.name_of(manifest): manifest for manifest in objects}
    assert len(named) == len(objects)
    return named


@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not installed")
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_same_objects_as_kubectl(overlay: str) -> None:
    printed = subprocess.run(["kubectl", "kustomize", DEPLOY / overlay], check=True, capture_output=True).stdout
    assert by_name(kustomize.build(DEPLOY / overlay)) == by_name(list(yaml.safe_load_all(printed)))


@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not installed")
def test_another_namespace_as_kubectl(tmp_path: Path) -> None:
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    ours = tmp_path / "deploy" / "ours"
    ours.mkdir()
    (ours / "kustomization.yaml").write_text("resources: [../overlays/local]\nnamespace: traffic\n")
    printed = subprocess.run(["kubectl", "kustomize", ours], check=True, capture_output=True).stdout
    objects = kustomize.with_namespace(kustomize.build(DEPLOY / "overlays/local"), "traffic")
    assert by_name(objects) == by_name(list(yaml.safe_load_all(printed)))


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("sumok8", "sumok8"),
        ("sumok8:1", "sumok8"),
        ("host:5000/a/sumok8", "host:5000/a/sumok8"),
        ("host:5000/sumok8:1", "host:5000/sumok8"),
        ("sumok8@sha256:00", "sumok8"),
        ("host:5000/sumok8:1@sha256:00", "host:5000/sumok8"),
    ],
)
def test_image_name(reference: str, name: str) -> None:
    assert kustomize.image_name(reference) == name


POD = {"kind": "Pod", "metadata": {"name": "a"}, "spec": {"list": [1, 2], "a/b": "x"}}


@pytest.mark.parametrize(
    ("operation", "spec"),
    [
        ({"op": "add", "path": "/spec/new", "value": {}}, {"list": [1, 2], "a/b": "x", "new": {}}),
        ({"op": "add", "path": "/spec/list/-", "value": 3}, {"list": [1, 2, 3], "a/b": "x"}),
        ({"op": "add", "path": "/spec/list/0", "value": 3}, {"list": [3, 1, 2], "a/b": "x"}),
        ({"op": "replace", "path": "/spec/list/1", "value": 3}, {"list": [1, 3], "a/b": "x"}),
        ({"op": "replace", "path": "/spec/a~1b", "value": "y"}, {"list": [1, 2], "a/b": "y"}),
        ({"op": "remove", "path": "/spec/list/0"}, {"list": [2], "a/b": "x"}),
        ({"op": "remove", "path": "/spec/a~1b"}, {"list": [1, 2]}),
    ],
)
def test_patch(operation: dict[str, object], spec: dict[str, object]) -> None:
    (edited,) = kustomize.patched([POD], [operation], kind="Pod", name="a")
    assert edited["spec"] == spec


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "/spec/absent", "value": 1},
        {"op": "remove", "path": "/spec/absent"},
        {"op": "add", "path": "/absent/b", "value": 1},
        {"op": "replace", "path": "/spec/list/7", "value": 1},
        {"op": "move", "path": "/spec/list", "from": "/spec"},
        {"op": "move", "path": "/spec/list/0", "from": "/spec"},
    ],
)
def test_patch_that_does_not_fit(operation: dict[str, object]) -> None:
    with pytest.raises(kustomize.KustomizeError, match="does not fit Pod/a"):
        kustomize.patched([POD], [operation], kind="Pod", name="a")


def test_patch_without_target() -> None:
    with pytest.raises(kustomize.KustomizeError, match="meets no object"):
        kustomize.patched([POD], [], kind="Pod", name="b")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("generators: [a]", "not supported here: generators"),
        ("resources: [a.yaml]", "a.yaml"),
        ("a: [", "kustomization"),
    ],
)
def test_what_we_do_not_know_is_an_error(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "kustomization.yaml").write_text(text)
    with pytest.raises(kustomize.KustomizeError, match=says):
        kustomize.build(tmp_path)
