"""The one door to Kubernetes: dataclasses in, dataclasses or this project's own errors out."""

import gc
import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import urllib3
from django.conf import settings
from kubernetes import client, config  # noqa: TID251 - this is the gateway

from clusterops import errors, manifests, translate, translate_cluster
from clusterops.contract import ClusterSnapshot, Run, RunSpec, SpaceState, TenantSpace

log = logging.getLogger(__name__)

Json = dict[str, Any]

CONNECT_TIMEOUT_S = 3.0
READ_TIMEOUT_S = 15.0
LIST_TIMEOUT_S = 30.0
WATCH_S = 240  # the server ends a watch after this; the socket's own time-out is a little longer
PAGE = 500
MAX_LOG_BYTES = 256 * 1024
OURS = f"{manifests.MANAGED_BY}=sumok8"
EXPLAIN_AFTER = timedelta(seconds=3)  # a Job without a pod for longer than this is asked about its events
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
FIELD_MANAGER = {"fieldManager": "sumok8", "force": "true"}


class KubeApi:
    """One HTTP call to the API server: JSON in, JSON out, a time-out always, no hidden retries.

    Raises `errors.GatewayError` subclasses only. Safe to share between threads.
    """

    def __init__(self, kubeconfig: str = "") -> None:
        """`kubeconfig`: a path; empty means the pod's own service account. Raises NotConfigured."""
        configuration = client.Configuration()
        try:
            if kubeconfig:
                config.load_kube_config(  # type: ignore[no-untyped-call]
                    config_file=kubeconfig, client_configuration=configuration
                )
            else:
                config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        except (config.ConfigException, OSError, ValueError, TypeError) as error:
            raise errors.NotConfigured(f"Cannot read how to reach the cluster: {error}") from error
        configuration.retries = False
        configuration.connection_pool_maxsize = 32
        self._configuration = configuration
        self._client = client.ApiClient(configuration)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
        timeout_s: float = READ_TIMEOUT_S,
    ) -> dict[str, Any]:
        """The answer's JSON. `path` begins with `/`, its parts already quoted by `path_of`."""
        answer = self.open(method, path, query=query, body=body, content_type=content_type, timeout_s=timeout_s)
        data = self._read(answer)
        try:
            with _collector_asleep():
                parsed = json.loads(data) if data else {}
        except ValueError as error:
            raise errors.ClusterUnreachable(f"{method} {path}: the answer is not JSON") from error
        if not isinstance(parsed, dict):
            raise errors.ClusterUnreachable(f"{method} {path}: the answer is not a JSON object")
        return parsed

    def text(self, path: str, *, query: Mapping[str, str | int], timeout_s: float = READ_TIMEOUT_S) -> str:
        """The answer as text, undecodable bytes replaced."""
        return self._read(self.open("GET", path, query=query, timeout_s=timeout_s)).decode("utf-8", "replace")

    def lines(self, path: str, *, query: Mapping[str, str | int], timeout_s: float) -> Iterator[bytes]:
        """The answer line by line as it comes. A silence longer than `timeout_s` raises ClusterUnreachable."""
        answer = self.open("GET", path, query=query, timeout_s=timeout_s)
        rest = b""
        try:
            for chunk in answer.stream(65536, decode_content=True):
                *complete, rest = (rest + chunk).split(b"\n")
                yield from complete
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise errors.ClusterUnreachable(f"GET {path}: {_brief(error)}") from error
        finally:
            answer.close()

    def pages(
        self, path: str, *, query: Mapping[str, str | int] | None = None, timeout_s: float = LIST_TIMEOUT_S
    ) -> Iterator[dict[str, Any]]:
        """A LIST's pages, all of one moment. Raises Expired if the list outlived its token: begin again."""
        parameters: dict[str, str | int] = {"limit": PAGE, **(query or {})}
        while True:
            page = self.request("GET", path, query=parameters, timeout_s=timeout_s)
            if not isinstance(page.get("items"), list):
                raise errors.ClusterUnreachable(f"GET {path}: the answer is not a list")
            yield page
            token = (page.get("metadata") or {}).get("continue")
            if not token:
                return
            parameters["continue"] = token

    def items(
        self,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        timeout_s: float = LIST_TIMEOUT_S,
        keep: Callable[[Json], Json] = lambda item: item,
    ) -> list[Json]:
        """All items of a LIST, each as `keep` leaves it. An expired list is begun again once."""

        def read() -> list[Json]:
            return [keep(item) for page in self.pages(path, query=query, timeout_s=timeout_s) for item in page["items"]]

        try:
            return read()
        except errors.Expired:
            return read()

    def open(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
        timeout_s: float = READ_TIMEOUT_S,
    ) -> urllib3.BaseHTTPResponse:
        """The successful answer, unread."""
        headers: dict[str, Any] = {"Accept": "application/json, */*", "User-Agent": "sumok8"}
        auth: Any
        for auth in self._configuration.auth_settings().values():
            headers[auth["key"]] = auth["value"]
        if body is not None:
            headers["Content-Type"] = content_type
        url = f"{self._configuration.host}{path}" + (f"?{urlencode(query)}" if query else "")
        try:
            answer = self._client.call_api(
                method, url, header_params=headers, body=body, _request_timeout=(CONNECT_TIMEOUT_S, timeout_s)
            ).response
        except (urllib3.exceptions.HTTPError, client.ApiException, OSError) as error:
            raise errors.ClusterUnreachable(f"{method} {path}: {_brief(error)}") from error
        if 200 <= answer.status < 300:
            return answer
        raise _error_of(method, path, answer.status, self._read(answer), answer.headers.get("Retry-After"))

    @staticmethod
    def _read(answer: urllib3.BaseHTTPResponse) -> bytes:
        try:
            return answer.read(decode_content=True)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            answer.close()
            raise errors.ClusterUnreachable(f"The answer broke off: {_brief(error)}") from error
        finally:
            answer.release_conn()


@contextmanager
def _collector_asleep() -> Iterator[None]:
    """Large LISTs parse in a third of the time without the garbage collector, which finds nothing in JSON."""
    awake = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if awake:
            gc.enable()


def path_of(kind: str, namespace: str = "", name: str = "", sub: str = "") -> str:
    """The API path of `kind` (plural): `path_of("jobs", "city-a", "sim-…")`. Without namespace: all namespaces."""
    path = manifests.API_PATHS[kind]
    if namespace:
        path += f"/namespaces/{quote(namespace, safe='')}"
    path += f"/{kind}"
    for part in (name, sub):
        path += f"/{quote(part, safe='')}" if part else ""
    return path


def _brief(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}"


def _error_of(method: str, path: str, status: int, data: bytes, retry_after: str | None) -> errors.GatewayError:
    """The error a non-2xx answer stands for. Source of the texts: recordings/errors of a real API server."""
    try:
        body = json.loads(data)
        body = body if isinstance(body, dict) else {}
    except ValueError:
        body = {}
    message = f"{method} {path}: {status} {body.get('message') or data[:200].decode('utf-8', 'replace')}"
    reason = str(body.get("reason") or "")
    causes = {cause.get("reason") for cause in (body.get("details") or {}).get("causes") or []}
    kind: type[errors.GatewayError] = errors.Refused
    if status >= 500 or status == 429:
        kind = errors.ClusterUnreachable
    elif status == 403 and "NamespaceTerminating" in causes:
        kind = errors.NamespaceTerminating
    elif status == 403 and "exceeded quota" in message:
        kind = errors.QuotaExceeded
    elif status in {401, 403}:
        kind = errors.Forbidden
    elif status in {404, 409, 410}:
        kind = {404: errors.NotFound, 409: errors.Conflict, 410: errors.Expired}[status]
    elif status == 400 and path.endswith("/log"):
        kind = errors.NotReady
    wait = float(retry_after) if retry_after and retry_after.isdigit() else None
    return kind(message, status=status, reason=reason, retry_after_s=wait)


class Gateway:
    """What the product asks of a cluster. Every method answers or raises `errors.GatewayError`."""

    def __init__(self, api: KubeApi) -> None:
        self.api = api

    def ensure_space(self, space: TenantSpace) -> str:
        """Make the tenant's namespace and what belongs in it as its limits ask; returns the Namespace's uid.

        Raises NamespaceNotOurs rather than take over a namespace that another hand made, NamespaceTerminating while
        the old one is being deleted.
        """
        wanted = manifests.namespace(space)
        try:
            found = self.api.request("GET", path_of("namespaces", name=space.namespace))
        except errors.NotFound:
            try:
                found = self.api.request("POST", path_of("namespaces"), body=wanted)
            except errors.Conflict:  # made by another hand since we looked
                found = self.api.request("GET", path_of("namespaces", name=space.namespace))
        translate_cluster.refuse_foreign_namespace(found, space)
        if not translate_cluster.covers(found, wanted):
            self._apply("namespaces", "", wanted)
        for kind, manifest in manifests.tenant_objects(space):
            self._apply(kind, space.namespace, manifest)
        return str(found["metadata"]["uid"])

    def _apply(self, kind: str, namespace: str, manifest: dict[str, Any]) -> None:
        path = path_of(kind, namespace, manifest["metadata"]["name"])
        self.api.request("PATCH", path, query=FIELD_MANAGER, body=manifest, content_type=APPLY)

    def inspect_spaces(self, spaces: Iterable[TenantSpace]) -> dict[str, SpaceState]:
        """Namespaces of ours by name, each with whether it is as `spaces` wants it. One LIST per kind of object."""
        query = {"labelSelector": OURS}
        objects = {
            (kind, item["metadata"].get("namespace", ""), item["metadata"]["name"]): item
            for kind in ("namespaces", *manifests.TENANT_KINDS)
            for item in self.api.items(path_of(kind), query=query)
        }
        return translate_cluster.space_states(objects, spaces)

    def namespaces(self) -> dict[str, SpaceState]:
        """Namespaces of ours by name, without a look at what is in them."""
        items = self.api.items(path_of("namespaces"), query={"labelSelector": OURS})
        return translate_cluster.space_states(
            {("namespaces", "", item["metadata"]["name"]): item for item in items}, ()
        )

    def list_runs(self) -> list[Run]:
        """Every run of ours: one paged LIST of Jobs, then one of pods, whatever the number of tenants."""
        with _collector_asleep():
            jobs, pods = self._jobs_and_pods()
            return self._runs(jobs, pods)

    def list_runs_and_snapshot(self) -> tuple[list[Run], ClusterSnapshot]:
        """Both from the same lists, and one more of nodes."""
        with _collector_asleep():
            jobs, pods = self._jobs_and_pods()
            runs = self._runs(jobs, pods)
            nodes = self.api.items(path_of("nodes"))
            return runs, translate_cluster.snapshot(nodes, jobs, pods, runs, datetime.now(UTC))

    def snapshot(self, *, timeout_s: float = 10.0) -> ClusterSnapshot:
        """Nodes, our Jobs and our pods at this moment, for dashboards: three LISTs, and no events."""
        with _collector_asleep():
            nodes = self.api.items(path_of("nodes"), timeout_s=timeout_s)
            jobs, pods = self._jobs_and_pods(timeout_s)
            runs = translate.runs(jobs, pods, {})
            return translate_cluster.snapshot(nodes, jobs, pods, runs, datetime.now(UTC))

    def usage(self, namespace: str, *, timeout_s: float = 3.0) -> Mapping[str, float]:
        """What one tenant's pods that have not ended ask for: cpu (cores), memory (bytes), pods, running."""
        pods = self.api.items(path_of("pods", namespace), query={"labelSelector": OURS}, timeout_s=timeout_s)
        found = translate_cluster.snapshot([], [], pods, [], datetime.now(UTC)).usage_by_namespace
        return found.get(namespace) or {"cpu": 0.0, "memory": 0.0, "pods": 0.0, "running": 0.0}

    def _jobs_and_pods(self, timeout_s: float = LIST_TIMEOUT_S) -> tuple[list[Json], list[Json]]:
        # Jobs first: a pod that vanishes in between belongs to a Job that is still listed.
        query = {"labelSelector": OURS}
        jobs = self.api.items(path_of("jobs"), query=query, timeout_s=timeout_s, keep=translate.slim_job)
        pods = self.api.items(path_of("pods"), query=query, timeout_s=timeout_s, keep=translate.slim_pod)
        return jobs, pods

    def _runs(self, jobs: list[Json], pods: list[Json]) -> list[Run]:
        # Events only when some Job has had neither a pod nor a verdict for a while: nothing else tells why.
        unexplained = translate.has_unexplained(jobs, pods, datetime.now(UTC) - EXPLAIN_AFTER)
        return translate.runs(jobs, pods, self._refusals() if unexplained else {})

    def _refusals(self) -> dict[str, str]:
        """Job uid → why its pod was refused, the newest text."""
        selector = "reason=FailedCreate,involvedObject.kind=Job"
        events = self.api.items(path_of("events"), query={"fieldSelector": selector})
        return translate.refusals(events)

    def start_run(self, spec: RunSpec) -> bool:
        """Create the run's Job; False if it is there already, from an earlier try whose answer was lost."""
        try:
            self.api.request("POST", path_of("jobs", spec.namespace), body=manifests.job(spec))
        except errors.Conflict as error:
            if "being deleted" in str(error):
                raise
            return False
        except errors.QuotaExceeded:  # also the answer to a duplicate when a count quota is full: look
            if self.run_exists(spec.namespace, spec.name):
                return False
            raise
        return True

    def run_exists(self, namespace: str, name: str) -> bool:
        try:
            self.api.request("GET", path_of("jobs", namespace, name))
        except errors.NotFound:
            return False
        return True

    def delete_run(self, namespace: str, name: str) -> bool:
        """Delete the Job and, always, its pods, in the background; False if it was gone already."""
        try:
            self.api.request("DELETE", path_of("jobs", namespace, name), body={"propagationPolicy": "Background"})
        except errors.NotFound:
            return False
        return True

    def release_run(self, namespace: str, name: str, *, ttl_s: int) -> bool:
        """Let Kubernetes delete the finished Job after `ttl_s`; False if it was gone already."""
        body = {"spec": {"ttlSecondsAfterFinished": ttl_s}}
        try:
            self.api.request("PATCH", path_of("jobs", namespace, name), body=body, content_type=MERGE)
        except errors.NotFound:
            return False
        return True

    def read_log(
        self,
        namespace: str,
        pod: str,
        *,
        tail: int = 500,
        since: datetime | None = None,
        timestamps: bool = False,
        timeout_s: float = READ_TIMEOUT_S,
    ) -> str:
        """The pod's last `tail` lines, at most the last 256 KiB of them. Empty if it has no node yet.

        Raises NotReady while its container has not started, NotFound when the pod is gone.
        """
        query: dict[str, str | int] = {"container": manifests.CONTAINER, "tailLines": tail}
        if since:
            query["sinceTime"] = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if timestamps:
            query["timestamps"] = "true"
        text = self.api.text(path_of("pods", namespace, pod, "log"), query=query, timeout_s=timeout_s)
        return text[-MAX_LOG_BYTES:].replace("\0", "")

    def watch(self, kind: str, stop: threading.Event) -> Iterator[None]:
        """Yields whenever something of ours changes; returns when the server ends the watch. Carries no state."""
        query: dict[str, str | int] = {"labelSelector": OURS}
        start = self.api.request("GET", path_of(kind), query={**query, "limit": 1})["metadata"]["resourceVersion"]
        query |= {"watch": "true", "resourceVersion": start, "timeoutSeconds": WATCH_S, "allowWatchBookmarks": "true"}
        for line in self.api.lines(path_of(kind), query=query, timeout_s=WATCH_S + 30):
            if stop.is_set():
                return
            if b'"BOOKMARK"' not in line[:40] and line.strip():
                yield


@cache
def default_gateway() -> Gateway:
    """The cluster that settings name. Raises NotConfigured."""
    return Gateway(KubeApi(settings.KUBE_CONFIG_PATH))
