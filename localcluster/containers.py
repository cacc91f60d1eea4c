"""From a pod's spec to a process on this machine: command, environment, volumes as folders, mount paths rewritten."""

from __future__ import annotations

import base64
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcluster import quantity
from localcluster.config import Image, LocalClusterConfig

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_.]*)\)")
_IMAGE_NAME = re.compile(
    r"(?:[A-Za-z0-9.-]+(?::[0-9]+)?/)?[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*"
    r"(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)

# looks up the `data` of a ConfigMap ("configmap") or Secret ("secret") in the pod's namespace; None: there is none
Lookup = Callable[[str, str], dict[str, str] | None]


class ContainerWaits(Exception):
    """Why a container cannot start now: the waiting reason and message of the kubelet, and its event."""

    def __init__(self, reason: str, message: str | None, event: str) -> None:
        super().__init__(message or reason)
        self.reason, self.message, self.event = reason, message, event


def find_image(config: LocalClusterConfig, name: str) -> Image:
    """Raises Waiting as the kubelet would: InvalidImageName or ErrImagePull."""
    if not _IMAGE_NAME.fullmatch(name):
        repository = name.partition(":")[0].partition("/")[2] or name.partition(":")[0]
        problem = f"repository name ({repository}) must be lowercase" if repository != repository.lower() else ""
        text = f'Failed to apply default image tag "{name}": couldn\'t parse image name "{name}": '
        text += "invalid reference format" + (f": {problem}" if problem else "")
        raise ContainerWaits("InvalidImageName", text, "InspectFailed")
    host, _, path = name.rpartition("@")[0].partition("/") if "@" in name else name.partition("/")
    image = config.images.get(name) or (None if host.endswith(".invalid") else config.default_image)
    if image:
        return image
    repository, _, tag = path.rpartition(":") if ":" in path else (path or host, "", "latest")
    text = (
        f'failed to pull and unpack image "{name}": failed to resolve image: failed to do request: '
        f'Head "https://{host}/v2/{repository}/manifests/{tag}": dial tcp: lookup {host}: no such host'
    )
    raise ContainerWaits("ErrImagePull", text, "Failed")


@dataclass(frozen=True, slots=True)
class PodFolder:
    """Where a pod lives on this machine: its volumes, its root, its log and what its shim writes."""

    path: Path

    def volume(self, name: str) -> Path:
        return self.path / "volumes" / name

    @property
    def root(self) -> Path:
        return self.path / "root"

    @property
    def log(self) -> Path:
        return self.path / "log"

    @property
    def termination_log(self) -> Path:
        return self.path / "termination-log"


class Rewriter:
    """Container paths as paths on this machine; the longest mount path wins, as mounts nest."""

    def __init__(self, container: dict[str, Any], folder: PodFolder) -> None:
        mounts = {m["mountPath"].rstrip("/"): m for m in container.get("volumeMounts", [])}
        self._paths = {path: folder.volume(m["name"]) / m.get("subPath", "") for path, m in mounts.items()}
        self._paths[container["terminationMessagePath"]] = folder.termination_log
        self._longest_first = sorted(self._paths, key=len, reverse=True)

    def __call__(self, value: str) -> str:
        for path in self._longest_first:
            if value == path or value.startswith(path + "/"):
                return str(self._paths[path]).rstrip("/") + value[len(path) :]
        return value


def prepare(
    pod: dict[str, Any], image: Image, folder: PodFolder, config: LocalClusterConfig, lookup: Lookup, notify: Path
) -> dict[str, Any]:
    """Makes the pod's folders and returns the shim's `spec.json`. Raises Waiting (nothing was started)."""
    container = pod["spec"]["containers"][0]
    _check_user(pod, container, image)
    shutil.rmtree(folder.path, ignore_errors=True)
    for path in (folder.path, folder.root, folder.path / "volumes"):
        path.mkdir()
    volumes = [v for volume in pod["spec"].get("volumes", []) if (v := _make_volume(volume, folder, lookup))]
    rewrite = Rewriter(container, folder)
    own = _own_environment(pod, container, lookup)
    env = {"PATH": DEFAULT_PATH, "HOSTNAME": pod["metadata"]["name"], **image.env}
    env |= {name: rewrite(value) for name, value in own.items()}
    words = [_expand(word, own) for word in [*container.get("command", []), *container.get("args", [])]]
    argv = [rewrite(word) for word in words] or ["python"]
    if argv[0] in ("python", "python3"):
        argv[0] = image.python  # Python finds its virtual environment by the name that it is called by
    cwd = Path(rewrite(container.get("workingDir", str(folder.root))))
    cwd.mkdir(parents=True, exist_ok=True)
    limits = container.get("resources", {}).get("limits", {})
    return {
        "argv": argv,
        "executable": shutil.which(argv[0], path=env["PATH"]) or argv[0],
        "env": env,
        "cwd": str(cwd),
        "volumes": volumes,
        "writable": _writable(container, image, folder, volumes),
        "memory_limit": int(quantity.parse(limits.get("memory", 0))),
        "disk_limit": int(quantity.parse(limits.get("ephemeral-storage", 0))),
        "disk_limit_text": limits.get("ephemeral-storage", ""),
        "memory_check_s": config.timing.memory_check,
        "disk_check_s": config.timing.disk_check,
        "notify": str(notify),
    }


def _writable(
    container: dict[str, Any], image: Image, folder: PodFolder, volumes: list[dict[str, Any]]
) -> list[str] | None:
    """Where a container with a read-only root may write; None: anywhere."""
    if not container.get("securityContext", {}).get("readOnlyRootFilesystem"):
        return None
    folder.termination_log.touch()
    return [*(volume["path"] for volume in volumes), str(folder.termination_log), "/dev", *image.writable]


def _check_user(pod: dict[str, Any], container: dict[str, Any], image: Image) -> None:
    security = {**pod["spec"].get("securityContext", {}), **container.get("securityContext", {})}
    if security.get("runAsNonRoot") and image.as_root and "runAsUser" not in security:
        meta = pod["metadata"]
        text = (
            "container has runAsNonRoot and image will run as root "
            f'(pod: "{meta["name"]}_{meta["namespace"]}({meta["uid"]})", container: {container["name"]})'
        )
        raise ContainerWaits("CreateContainerConfigError", text, "Failed")


def _make_volume(volume: dict[str, Any], folder: PodFolder, lookup: Lookup) -> dict[str, Any] | None:
    path = folder.volume(volume["name"])
    path.mkdir()
    for kind, field, name_field in (("configmap", "configMap", "name"), ("secret", "secret", "secretName")):
        if source := volume.get(field):
            data = lookup(kind, source[name_field])
            if data is None and not source.get("optional"):
                text = (
                    f'MountVolume.SetUp failed for volume "{volume["name"]}" : {kind} "{source[name_field]}" not found'
                )
                raise ContainerWaits("ContainerCreating", text, "FailedMount")
            for name, value in (data or {}).items():
                (path / name).write_text(value)
            return None
    limit = (volume.get("emptyDir") or {}).get("sizeLimit")
    size = int(quantity.parse(limit)) if limit else 0
    return {"name": volume["name"], "path": str(path), "limit": size, "limit_text": limit}


def _own_environment(pod: dict[str, Any], container: dict[str, Any], lookup: Lookup) -> dict[str, str]:
    env: dict[str, str] = {}
    for source in container.get("envFrom", []):
        for kind, field in (("configmap", "configMapRef"), ("secret", "secretRef")):
            if reference := source.get(field):
                data = _referenced(kind, reference, lookup)
                env |= {source.get("prefix", "") + name: value for name, value in data.items()}
    for item in container.get("env", []):
        if "valueFrom" in item:
            value = _value_from(pod, item["valueFrom"], lookup)
            if value is not None:
                env[item["name"]] = value
        else:
            env[item["name"]] = _expand(item.get("value", ""), env)
    return env


def _referenced(kind: str, reference: dict[str, Any], lookup: Lookup) -> dict[str, str]:
    data = lookup(kind, reference["name"])
    if data is None and not reference.get("optional"):
        raise ContainerWaits("CreateContainerConfigError", f'{kind} "{reference["name"]}" not found', "Failed")
    return data or {}


def _value_from(pod: dict[str, Any], source: dict[str, Any], lookup: Lookup) -> str | None:
    for kind, field in (("configmap", "configMapKeyRef"), ("secret", "secretKeyRef")):
        if reference := source.get(field):
            data = _referenced(kind, reference, lookup)
            if reference["key"] not in data and not reference.get("optional"):
                meta = pod["metadata"]
                title = {"configmap": "ConfigMap", "secret": "Secret"}[kind]
                text = f"couldn't find key {reference['key']} in {title} {meta['namespace']}/{reference['name']}"
                raise ContainerWaits("CreateContainerConfigError", text, "Failed")
            return data.get(reference["key"])
    found: Any = pod
    for step in re.findall(r"\w+|\['[^']+'\]", source.get("fieldRef", {}).get("fieldPath", "")):
        found = found.get(step.strip("[]'"), "") if isinstance(found, dict) else ""
    return str(found) if isinstance(found, str | int) else ""


def _expand(text: str, env: dict[str, str]) -> str:
    """`$(NAME)` becomes its value if there is one; `$$` is a plain dollar sign."""

    def value(match: re.Match[str]) -> str:
        return "$" if match[0] == "$$" else env.get(match[1], match[0])

    return _REFERENCE.sub(value, text)


def decoded(secret: dict[str, Any]) -> dict[str, str]:
    data = {name: base64.b64decode(value).decode() for name, value in secret.get("data", {}).items()}
    return data | secret.get("stringData", {})
