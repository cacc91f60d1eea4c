"""Read our own manifests as `kubectl kustomize` does: the few features that deploy/ uses, and an error for any other.

One source for both ways to install. Known: resources, components, namespace, images, patches (JSON 6902, by kind and
name). https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/
"""

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as SafeLoader  # ten times as quick
except ImportError:
    from yaml import SafeLoader  # type: ignore[assignment]

Manifest = dict[str, Any]

CLUSTER_SCOPED = {
    "Namespace",
    "ClusterRole",
    "ClusterRoleBinding",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "NodePool",
    "EC2NodeClass",
}
_KNOWN = {"apiVersion", "kind", "namespace", "resources", "components", "images", "patches"}


class KustomizeError(ValueError):
    """A kustomization that is broken, or uses what we do not know."""


def build(folder: Path) -> list[Manifest]:
    """The objects of the kustomization in `folder`, in the order of its files."""
    return _accumulate(folder, [])


def _accumulate(folder: Path, objects: list[Manifest]) -> list[Manifest]:
    """Add what `folder` names to `objects`; a component changes what is there already."""
    path = folder / "kustomization.yaml"
    try:
        settings: Manifest = yaml.load(path.read_text(), SafeLoader)
    except (OSError, yaml.YAMLError) as error:
        raise KustomizeError(f"{path}: {error}") from error
    if unknown := settings.keys() - _KNOWN:
        raise KustomizeError(f"{path}: not supported here: {', '.join(sorted(unknown))}.")
    for resource in settings.get("resources", []):
        source = folder / resource
        objects = objects + (build(source) if source.is_dir() else load(source))
    for component in settings.get("components", []):
        objects = _accumulate(folder / component, objects)
    for patch in settings.get("patches", []):
        text = (folder / patch["path"]).read_text() if "path" in patch else patch["patch"]
        operations = yaml.load(text, SafeLoader)
        objects = patched(objects, operations, **patch["target"])
    for image in settings.get("images", []):
        reference = f"{image.get('newName', image['name'])}"
        reference += f"@{image['digest']}" if "digest" in image else f":{image['newTag']}"
        objects = with_image(objects, image["name"], reference)
    if "namespace" in settings:
        objects = with_namespace(objects, settings["namespace"])
    return objects


def load(path: Path) -> list[Manifest]:
    """All documents of one file."""
    try:
        return [document for document in yaml.load_all(path.read_text(), SafeLoader) if document]
    except (OSError, yaml.YAMLError) as error:
        raise KustomizeError(f"{path}: {error}") from error


def patched(objects: list[Manifest], operations: list[Manifest], *, kind: str, name: str) -> list[Manifest]:
    """Apply RFC 6902 operations (add, replace, remove) to every object of that kind whose whole name matches."""

    def is_target(manifest: Manifest) -> bool:
        return manifest["kind"] == kind and re.fullmatch(name, manifest["metadata"]["name"]) is not None

    if not any(is_target(manifest) for manifest in objects):
        raise KustomizeError(f"A patch for {kind} {name} meets no object.")
    return [_edited(manifest, operations) if is_target(manifest) else manifest for manifest in objects]


def _edited(manifest: Manifest, operations: list[Manifest]) -> Manifest:
    manifest = copy.deepcopy(manifest)
    for operation in operations:
        verb, pointer = operation["op"], operation["path"]
        *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
        try:
            place: Any = manifest
            for part in parents:
                place = place[int(part)] if isinstance(place, list) else place[part]
            if isinstance(place, list):
                _edit_list(place, verb, last, operation)
            elif verb == "remove":
                del place[last]
            elif verb == "add" or (verb == "replace" and last in place):
                place[last] = copy.deepcopy(operation["value"])
            else:
                raise KeyError(last)
        except (KeyError, IndexError, ValueError) as error:
            raise KustomizeError(f"{verb} {pointer} does not fit {name_of(manifest)}.") from error
    return manifest


def _edit_list(place: list[Any], verb: str, last: str, operation: Manifest) -> None:
    if verb == "add":
        place.insert(len(place) if last == "-" else int(last), copy.deepcopy(operation["value"]))
    elif verb == "replace":
        place[int(last)] = copy.deepcopy(operation["value"])
    elif verb == "remove":
        del place[int(last)]
    else:
        raise ValueError(verb)


def with_image(objects: list[Manifest], name: str, reference: str) -> list[Manifest]:
    """`reference` wherever a container's image is `name`, whatever its tag or digest."""
    objects = copy.deepcopy(objects)
    for container in containers(objects):
        if image_name(container["image"]) == name:
            container["image"] = reference
    return objects


def image_name(reference: str) -> str:
    """The reference without tag and digest; a registry's port is no tag."""
    name = reference.partition("@")[0]
    return name.rpartition(":")[0] if ":" in name.rpartition("/")[2] else name


def containers(objects: list[Manifest]) -> Iterator[Manifest]:
    """Every container and init container of the workloads."""
    for manifest in objects:
        pod = manifest.get("spec", {}).get("template", {}).get("spec", {})
        yield from pod.get("initContainers", [])
        yield from pod.get("containers", [])


def with_namespace(objects: list[Manifest], namespace: str) -> list[Manifest]:
    """Move every namespaced object there: the Namespace object is renamed, subjects of bindings follow."""
    objects = copy.deepcopy(objects)
    accounts = {manifest["metadata"]["name"] for manifest in objects if manifest["kind"] == "ServiceAccount"}
    for manifest in objects:
        if manifest["kind"] == "Namespace":
            manifest["metadata"]["name"] = namespace
        elif manifest["kind"] not in CLUSTER_SCOPED:
            manifest["metadata"]["namespace"] = namespace
        for subject in manifest.get("subjects", []):
            if subject["kind"] == "ServiceAccount" and subject["name"] in accounts:
                subject["namespace"] = namespace
    return objects


def name_of(manifest: Manifest) -> str:
    """For messages: `Deployment/sumok8-web`."""
    return f"{manifest['kind']}/{manifest['metadata']['name']}"
