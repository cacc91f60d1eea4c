"""Can a tenant's pod reach the control plane? Tried from a pod that is like a simulation's in all but its command.

So it stands under the tenant's NetworkPolicy, pod security and quota, and the reconciler's own rights suffice to make
it, as a Job. It goes again at once; if this process dies, by its own deadline and time to live.
"""

import json
import secrets
import time
from contextlib import suppress
from typing import Any

from django.conf import settings

from clusterops import errors
from clusterops.contract import RunSpec
from clusterops.gateway import KubeApi, path_of
from clusterops.objects import manifests

PATIENCE_S = 120.0  # a machine may have to be started, and a name that nobody answers for takes its time
POLL_S = 0.5
SUBJECT = "pods reach the control plane"
LOOK_AT = "see “name not resolved” in docs/operations.md"


def reach(api: KubeApi, namespace: str, url: str = "") -> tuple[bool | None, str]:
    """(whether it works, what was seen) from `namespace`, at RUNNER_URL or the cluster's own `url`; None: it
    could not be tried. Raises ClusterUnreachable."""
    name = f"sumok8-check-{secrets.token_hex(4)}"
    try:
        api.request("POST", path_of("jobs", namespace), body=job(namespace, name, url))
    except errors.Refused as error:
        return None, f"not tried in {namespace}: {error}"
    try:
        return _outcome(api, namespace, name)
    finally:
        with suppress(errors.GatewayError):  # else its time to live ends it
            api.request("DELETE", path_of("jobs", namespace, name), body={"propagationPolicy": "Background"})


def job(namespace: str, name: str, url: str = "") -> dict[str, Any]:
    """The Job of a run, small, and with labels of its own: the reconciler does not take it for a run."""
    limits = {"unpacked_bytes": 0, "output_bytes": 0}
    spec = RunSpec("", "", namespace, name, 1, "", 1, 1, {"job_id": "", "limits": limits}, "", 0)
    made = manifests.job(spec)
    labels = {"app.kubernetes.io/name": "sumok8-check", "app.kubernetes.io/part-of": "sumok8"}
    template = made["spec"]["template"]
    made["metadata"]["labels"] = template["metadata"]["labels"] = labels
    made["spec"]["ttlSecondsAfterFinished"] = int(PATIENCE_S)
    template["spec"]["activeDeadlineSeconds"] = int(PATIENCE_S)
    template["spec"]["terminationGracePeriodSeconds"] = 1
    [container] = template["spec"]["containers"]
    container["command"] = ["python", "-m", "simulations.sumo.run.reach", url or settings.RUNNER_URL]
    container["env"] = [each for each in container["env"] if not each["name"].startswith(("SUMOK8", "JOB", "SCENARIO"))]
    container["resources"]["requests"] |= {"cpu": "100m", "memory": "128Mi"}
    container["resources"]["limits"]["memory"] = "128Mi"
    return made


def _outcome(api: KubeApi, namespace: str, name: str) -> tuple[bool | None, str]:
    query = {"labelSelector": f"batch.kubernetes.io/job-name={name}"}
    deadline, phase = time.monotonic() + PATIENCE_S, ""
    while time.monotonic() < deadline:
        for pod in api.items(path_of("pods", namespace), query=query):
            phase = pod["status"].get("phase", "")
            for container in pod["status"].get("containerStatuses") or ():
                if ended := container["state"].get("terminated"):
                    return _told(namespace, str(ended.get("message", "")))
        time.sleep(POLL_S)
    if phase == "Running":
        return False, f"a pod in {namespace} waited {PATIENCE_S:.0f} s for an answer, of the cluster's DNS above all"
    return None, f"a pod in {namespace} did not start within {PATIENCE_S:.0f} s"


def _told(namespace: str, message: str) -> tuple[bool | None, str]:
    try:
        seen = json.loads(message)
        problem, host, status = seen["problem"], seen["host"], seen["status"]
    except (ValueError, KeyError, TypeError):
        return None, f"a pod in {namespace} ended without telling: {message[-200:]}"
    if problem:
        return False, f"from a pod in {namespace}: {problem}; {LOOK_AT}"
    return True, f"a pod in {namespace} resolves {host} and is answered (HTTP {status})"
