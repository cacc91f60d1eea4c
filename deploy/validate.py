"""Hold every overlay against the Kubernetes API schemas, offline: `python -m deploy.validate`.

The oldest version that we support and the newest known. Karpenter's kinds are not among the schemas;
tests/deploy/test_karpenter.py looks at those.
"""

import sys
from pathlib import Path

import kubernetes_validate

from clusterops.install import kustomize

DEPLOY = Path(__file__).resolve().parent
OVERLAYS = ["base", ".", *(f"overlays/{path.name}" for path in sorted((DEPLOY / "overlays").iterdir()))]
OLDEST = "1.28"
ADMISSION_POLICIES_SINCE = "1.30"  # admissionregistration.k8s.io/v1; the component that has them says so


def problems(objects: list[kustomize.Manifest]) -> list[str]:
    """One line for each object and version that do not fit. Unknown fields are problems too."""
    found = []
    for manifest in objects:
        oldest = ADMISSION_POLICIES_SINCE if manifest["kind"].startswith("ValidatingAdmissionPolicy") else OLDEST
        for version in (oldest, kubernetes_validate.latest_version()):
            try:
                kubernetes_validate.validate(manifest, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                place = ".".join(str(part) for part in error.absolute_path)
                found.append(f"{kustomize.name_of(manifest)} {place}: {error.message} (Kubernetes {version})")
            except kubernetes_validate.SchemaNotFoundError as error:
                found.append(f"{kustomize.name_of(manifest)}: {error.message}")
    return found


def main() -> int:
    failed = False
    for overlay in OVERLAYS:
        objects = kustomize.build(DEPLOY / overlay)
        found = problems(objects)
        failed |= bool(found)
        lines = [f"deploy/{overlay}: {len(objects)} objects, {len(found)} problems", *(f"  {line}" for line in found)]
        sys.stdout.write("\n".join(lines) + "\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
