"""HTTP to the API server: the only module that imports `kubernetes`, for its credentials and its connections."""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import urllib3
from cryptography import x509
from prometheus_client import Counter

from clusterops import errors
from clusterops.gateway.garbage import collector_asleep
from clusterops.objects import manifests
from clusterops.readings.values import words
from simulations.sumo.protocol.strict_json import clean

Json = dict[str, Any]

CLUSTER_REQUESTS = Counter(
    "sumok8_cluster_requests", "Requests to the API server by HTTP verb and status; none: no answer.", ["verb", "code"]
)
CONNECT_TIMEOUT_S = 3.0
READ_TIMEOUT_S = 15.0
LIST_TIMEOUT_S = 30.0
PAGE = 500
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
SECONDS = re.compile(r"[0-9]{1,6}")


def nothing() -> None:
    """For a caller who has nothing else to do."""


class KubeApi:
    """One HTTP call to the API server: JSON in, JSON out, a time-out always, no hidden retries.

    Raises `errors.GatewayError` subclasses only. Safe to share between threads.
    """

    def __init__(self, kubeconfig: str = "", context: str = "") -> None:
        """`kubeconfig`: a path; empty means the pod's own service account. `context`: in it; empty: its current one.

        Raises NotConfigured.
        """
        from kubernetes import client, config  # noqa: TID251 - a fifth of a start, for those who reach a cluster only

        configuration = client.Configuration()
        try:
            if kubeconfig:
                config.load_kube_config(  # type: ignore[no-untyped-call]
                    config_file=kubeconfig, context=context or None, client_configuration=configuration
                )
            else:
                config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        except (config.ConfigException, OSError, ValueError, TypeError) as error:
            raise errors.NotConfigured(f"Cannot read how to reach the cluster: {error}") from error
        configuration.retries = False
        configuration.connection_pool_maxsize = 32
        self._configuration = configuration
        self._client = client.ApiClient(configuration)

    def certificate_ends_at(self) -> datetime | None:
        """When the first ends of the certificates by which the two know each other; None: there is none to read, as
        where the token of a service account and the system's authorities do."""
        ends = []
        for path in (self._configuration.cert_file, self._configuration.ssl_ca_cert):
            try:
                found = x509.load_pem_x509_certificates(Path(path).read_bytes()) if path else []
            except (OSError, ValueError):
                continue  # whether it works at all is seen by asking
            ends += [each.not_valid_after_utc for each in found]
        return min(ends, default=None)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
        timeout_s: float = READ_TIMEOUT_S,
    ) -> Json:
        """The answer's JSON. `path` begins with `/`, its parts already quoted by `path_of`."""
        answer = self.open(method, path, query=query, body=body, content_type=content_type, timeout_s=timeout_s)
        data = self._read(answer)
        try:
            with collector_asleep():
                parsed = json.loads(data) if data else {}
        except (ValueError, RecursionError) as error:
            raise errors.ClusterUnreachable(f"{method} {path}: the answer is not JSON") from error
        if not isinstance(parsed, dict):
            raise errors.ClusterUnreachable(f"{method} {path}: the answer is not a JSON object")
        return parsed

    def tail(self, path: str, *, query: Mapping[str, str | int], keep_bytes: int, timeout_s: float) -> str:
        """The answer's end as text, undecodable bytes replaced.

        However long it is, no more than its end is held; one that lasts longer than `timeout_s` is given up.
        """
        answer = self.open("GET", path, query=query, timeout_s=timeout_s)
        given_up_at = time.monotonic() + timeout_s
        kept = b""
        try:
            for chunk in answer.stream(65536, decode_content=True):
                kept = (kept + chunk)[-keep_bytes:]
                if time.monotonic() > given_up_at:
                    raise errors.ClusterUnreachable(f"GET {path}: no end within {timeout_s:g} s")
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise errors.ClusterUnreachable(f"GET {path}: {_brief(error)}") from error
        finally:
            answer.close()
        return kept.decode("utf-8", "replace")

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
    ) -> Iterator[Json]:
        """A LIST's pages, all of one moment. Raises Expired if the list outlived its token: begin again."""
        parameters: dict[str, str | int] = {"limit": PAGE, **(query or {})}
        while True:
            page = self.request("GET", path, query=parameters, timeout_s=timeout_s)
            if not isinstance(page.get("items"), list):
                raise errors.ClusterUnreachable(f"GET {path}: the answer is not a list")
            yield page
            meta = page.get("metadata")
            token = meta.get("continue") if isinstance(meta, dict) else None
            if not isinstance(token, str) or not token:
                return
            parameters["continue"] = token

    def items(
        self,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        timeout_s: float = LIST_TIMEOUT_S,
        keep: Callable[[Json], Json] = lambda item: item,
        between: Callable[[], None] = nothing,
    ) -> list[Json]:
        """All items of a LIST, each as `keep` leaves it. An expired list is begun again once.

        `between` two pages the caller may do something else.
        """

        def read() -> list[Json]:
            kept: list[Json] = []
            for page in self.pages(path, query=query, timeout_s=timeout_s):
                kept += map(keep, page["items"])
                between()
            return kept

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
        from kubernetes.client import ApiException  # noqa: TID251

        headers: Json = {"Accept": "application/json, */*", "User-Agent": "sumok8"}
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
        except (urllib3.exceptions.HTTPError, ApiException, OSError) as error:
            CLUSTER_REQUESTS.labels(method, "none").inc()
            raise errors.ClusterUnreachable(f"{method} {path}: {_brief(error)}") from error
        CLUSTER_REQUESTS.labels(method, answer.status).inc()
        if 200 <= answer.status < 300:
            return answer
        raise error_of(method, path, answer.status, self._read(answer), answer.headers.get("Retry-After"))

    @staticmethod
    def _read(answer: urllib3.BaseHTTPResponse) -> bytes:
        try:
            return answer.read(decode_content=True)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            answer.close()
            raise errors.ClusterUnreachable(f"The answer broke off: {_brief(error)}") from error
        finally:
            answer.release_conn()


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


def error_of(method: str, path: str, status: int, data: bytes, retry_after: str | None) -> errors.GatewayError:
    """The error a non-2xx answer stands for. Source of the texts: recordings/errors of a real API server."""
    try:
        body = json.loads(data)
        body = body if isinstance(body, dict) else {}
    except (ValueError, RecursionError):
        body = {}
    says = words(body.get("message")) or clean(data[:200].decode("utf-8", "replace"))
    message = f"{method} {path}: {status} {says}"
    reason = str(body.get("reason") or "")
    details = body.get("details")
    causes = details.get("causes") if isinstance(details, dict) else None
    causes = [each.get("reason") for each in causes if isinstance(each, dict)] if isinstance(causes, list) else []
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
    wait = float(retry_after) if retry_after and SECONDS.fullmatch(retry_after) else None
    return kind(message, status=status, reason=reason, retry_after_s=wait)
