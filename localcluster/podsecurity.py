"""Pod Security Standards, levels `baseline` and `restricted`, in the admission plugin's own words.

https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from __future__ import annotations

from typing import Any

PREFIX = "pod-security.kubernetes.io/"
_VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
}


def violations(level: str, spec: dict[str, Any]) -> list[str]:
    """What the pod's spec has that this level forbids, in the plugin's order; empty if it may run."""
    if level not in ("baseline", "restricted"):
        return []
    found = _baseline(spec)
    return found + _restricted(spec) if level == "restricted" else found


def refusal(labels: dict[str, str], spec: dict[str, Any], mode: str) -> str | None:
    """The text for `mode` enforce or warn, by the labels of the namespace; a missing warn level is that of enforce."""
    level = labels.get(PREFIX + mode) or (labels.get(PREFIX + "enforce", "") if mode == "warn" else "")
    version = labels.get(f"{PREFIX}{mode}-version", "latest")
    found = violations(level, spec)
    return f'violate PodSecurity "{level}:{version}": ' + ", ".join(found) if found else None


def _baseline(spec: dict[str, Any]) -> list[str]:
    found = []
    shared = [name for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name)]
    if shared:
        found.append("host namespaces (" + ", ".join(f"{name}=true" for name in shared) + ")")
    paths = [v["name"] for v in spec.get("volumes", []) if "hostPath" in v]
    if paths:
        found.append(f"hostPath volumes ({_plural('volume', paths)})")
    bad = [c["name"] for c in spec["containers"] if c.get("securityContext", {}).get("privileged")]
    if bad:
        found.append(f"privileged ({_plural('container', bad)} must not set securityContext.privileged=true)")
    return found


def _restricted(spec: dict[str, Any]) -> list[str]:
    pod = spec.get("securityContext", {})
    containers = [(c["name"], c.get("securityContext", {})) for c in spec["containers"]]
    found = []

    def require(title: str, ok: Any, what: str, *, scope: str = "") -> None:
        bad = [name for name, own in containers if not ok(own)]
        if bad:
            found.append(f"{title} ({scope}{_plural('container', bad)} must set securityContext.{what})")

    require(
        "allowPrivilegeEscalation != false",
        lambda own: own.get("allowPrivilegeEscalation") is False,
        "allowPrivilegeEscalation=false",
    )
    require(
        "unrestricted capabilities",
        lambda own: "ALL" in own.get("capabilities", {}).get("drop", []),
        'capabilities.drop=["ALL"]',
    )
    bad_volumes = [v["name"] for v in spec.get("volumes", []) if not _VOLUMES & v.keys()]
    if bad_volumes:
        found.append(f"restricted volume types ({_plural('volume', bad_volumes)})")
    require(
        "runAsNonRoot != true",
        lambda own: own.get("runAsNonRoot", pod.get("runAsNonRoot")) is True,
        "runAsNonRoot=true",
        scope="pod or ",
    )
    if pod.get("runAsUser") == 0 or any(own.get("runAsUser") == 0 for _, own in containers):
        found.append("runAsUser=0 (pod or container must not set runAsUser=0)")
    require(
        "seccompProfile",
        lambda own: {**pod, **own}.get("seccompProfile", {}).get("type") in ("RuntimeDefault", "Localhost"),
        'seccompProfile.type to "RuntimeDefault" or "Localhost"',
        scope="pod or ",
    )
    return found


def _plural(word: str, names: list[str]) -> str:
    quoted = ", ".join(f'"{name}"' for name in names)
    return f"{word} {quoted}" if len(names) == 1 else f"{word}s {quoted}"
