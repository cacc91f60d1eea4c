"""HTTP on loopback: authentication, paths, bodies and streams of the Kubernetes API, over `Api`, `Lists` and `Logs`."""

from __future__ import annotations

import asyncio
import hmac
import json
from typing import Any

from aiohttp import web

from localcluster import discovery, logs, watch
from localcluster.api import Api, ApiAnswer, ApiCall, encode, subject_access_review
from localcluster.config import Timing
from localcluster.errors import StatusError, bad_request
from localcluster.listing import Lists, too_large
from localcluster.logs import Logs
from localcluster.resources import BY_PATH, PODS, Resource
from localcluster.store import Store

_MAX_BODY = 3 * 1024 * 1024  # as the API server
_VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_JSON = "application/json"


class Server:
    def __init__(self, store: Store, api: Api, lists: Lists, pod_logs: Logs, token: str, timing: Timing) -> None:
        self.store, self.api, self.lists, self.logs = store, api, lists, pod_logs
        self.doorbell = watch.ChangeSignal()
        self._token, self._timing = token, timing
        self._streams: set[asyncio.Task[Any]] = set()

    def application(self) -> web.Application:
        app = web.Application(client_max_size=_MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self._handle)
        return app

    def end_streams(self) -> None:
        for task in self._streams:
            task.cancel()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._answer(request)
        except StatusError as error:
            return _respond(error.code, encode(error.status()))
        except web.HTTPRequestEntityTooLarge:
            large = StatusError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {_MAX_BODY}")
            return _respond(413, encode(large.status()))
        except (KeyError, TypeError, ValueError, AttributeError) as problem:
            # a body or parameter of the wrong type, which the real server would refuse while decoding
            return _respond(400, encode(bad_request(f"cannot be handled: {problem!r}").status()))

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self._authenticate(request)
        if plain := discovery.plain(request.path):
            return web.Response(text=plain)
        if found := discovery.document(request.path):
            return _respond(200, encode(found))
        if request.path.rstrip("/").endswith("/selfsubjectaccessreviews") and request.method == "POST":
            return _respond(201, encode(subject_access_review(await _body(request))))
        call = self._parse(request)
        if call.subresource == "log":
            return await self._log(request, call)
        if request.method == "GET" and call.query.get("watch") in ("true", "1"):
            return await self._watch(request, call)
        answer = await self._act(request, call)
        return _respond(answer.status, answer.body, answer.warning)

    def _authenticate(self, request: web.Request) -> None:
        if request.path in ("/healthz", "/livez", "/readyz", "/version"):
            return
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if not given:
            raise self._anonymous(request)
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), self._token.encode()):
            raise StatusError(401, "Unauthorized", "Unauthorized")

    def _anonymous(self, request: web.Request) -> StatusError:
        try:
            call = self._parse(request)
        except StatusError:
            return StatusError(403, "Forbidden", f'forbidden: User "system:anonymous" cannot get path "{request.path}"')
        verb = _VERBS.get(request.method, "get")
        verb = "list" if verb == "get" and not call.name else verb
        place = f' in the namespace "{call.namespace}"' if call.namespace else " at the cluster scope"
        resource = call.resource
        text = (
            f'{resource.qualified} is forbidden: User "system:anonymous" cannot {verb} resource "{resource.plural}" '
            f'in API group "{resource.group}"{place}'
        )
        details = {"group": resource.group} if resource.group else {}
        return StatusError(403, "Forbidden", text, details | {"kind": resource.plural})

    def _parse(self, request: web.Request) -> ApiCall:
        steps = [step for step in request.path.split("/") if step]
        if steps[:1] == ["api"]:
            group, version, rest = "", *steps[1:2], steps[2:]
        elif steps[:1] == ["apis"] and len(steps) > 2:
            group, version, rest = steps[1], steps[2], steps[3:]
        else:
            raise _no_such_path()
        namespace = ""
        if rest[:1] == ["namespaces"] and len(rest) > 2 and (group, version, rest[2]) in BY_PATH:
            namespace, rest = rest[1], rest[2:]
        resource = BY_PATH.get((group, version, rest[0])) if rest else None
        if resource is None or len(rest) > 3 or (len(rest) > 1 and resource.namespaced and not namespace):
            raise _no_such_path()
        name, subresource = (*rest[1:], "", "")[:2]
        if subresource and subresource not in _subresources(resource):
            raise _no_such_path()
        manager = request.query.get("fieldManager") or request.headers.get("User-Agent", "").partition("/")[0]
        return ApiCall(
            request.method,
            resource,
            namespace,
            name,
            subresource,
            dict(request.query),
            request.content_type,
            manager or "unknown",
        )

    async def _act(self, request: web.Request, call: ApiCall) -> ApiAnswer:
        method = request.method
        if method == "GET" and call.name:
            return self.api.get(call)
        if method == "GET":
            partial = "as=PartialObjectMetadataList" in request.headers.get("Accept", "")
            return self.lists.page(call, metadata_only=partial)
        if method == "POST" and (call.name == "") == (call.subresource == ""):
            return self.api.create(call, await _body(request, call.resource))
        if method == "PUT" and call.name:
            return self.api.replace(call, await _body(request, call.resource))
        if method == "PATCH" and call.name:
            return self.api.patch(call, await _body(request, call.resource))
        if method == "DELETE" and call.name:
            return self.api.delete(call, await _body(request, call.resource) if request.can_read_body else {})
        if method == "DELETE":
            return self._delete_all(call, await _body(request, call.resource) if request.can_read_body else {})
        raise StatusError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")

    def _delete_all(self, call: ApiCall, options: dict[str, Any]) -> ApiAnswer:
        answer = self.lists.page(call)
        for item in json.loads(answer.body)["items"]:
            meta = item["metadata"]
            one = ApiCall(call.method, call.resource, meta.get("namespace", ""), meta["name"], query=call.query)
            self.api.delete(one, options)
        return answer

    async def _watch(self, request: web.Request, call: ApiCall) -> web.StreamResponse:
        wanted = call.query.get("resourceVersion", "")
        if wanted.isdigit() and int(wanted) > self.store.version:
            raise too_large(int(wanted), self.store.version)
        lines = watch.stream(self.store, self.doorbell, call, self._timing.bookmark)
        return await self._stream(request, lines, _JSON)

    async def _log(self, request: web.Request, call: ApiCall) -> web.StreamResponse:
        if call.resource is not PODS:
            raise _no_such_path()
        source = self.logs.open(call)
        if source is None:
            return web.Response(status=204)
        if isinstance(source, str):
            return web.Response(text=source)
        pieces = logs.stream(source, call.query, self.logs.still_written(call))
        return await self._stream(request, pieces, "text/plain")

    async def _stream(self, request: web.Request, pieces: Any, content_type: str) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": content_type})
        task = asyncio.current_task()
        assert task is not None
        self._streams.add(task)
        try:
            await response.prepare(request)
            async for piece in pieces:
                await response.write(piece)
            await response.write_eof()
        except (ConnectionResetError, FileNotFoundError):
            pass  # the client went, or the pod's folder did
        finally:
            self._streams.discard(task)
            await pieces.aclose()
        return response


async def _body(request: web.Request, resource: Resource | None = None) -> Any:
    if request.content_type not in (_JSON, "application/octet-stream") and not request.content_type.endswith(
        ("+json", "+yaml")
    ):
        text = (
            "the body of the request was in an unknown format - accepted media types include: "
            "application/json, application/yaml, application/vnd.kubernetes.protobuf"
        )
        raise StatusError(415, "UnsupportedMediaType", text)
    raw = await request.read()
    try:
        body = json.loads(raw or b"{}")
    except ValueError as error:
        kind = f" (must be of type {resource.kind})" if resource else ""
        shown = raw[:200].decode(errors="replace")
        text = (
            f"the object provided is unrecognized{kind}: couldn't get version/kind; json parse error: {error} ({shown})"
        )
        raise bad_request(text) from None
    if not isinstance(body, dict) and not (isinstance(body, list) and request.method == "PATCH"):
        raise bad_request("the object provided is unrecognized: it must be a JSON object")
    return body


def _subresources(resource: Resource) -> tuple[str, ...]:
    return ("log", "eviction", "status") if resource is PODS else ("status",)


def _no_such_path() -> StatusError:
    return StatusError(404, "NotFound", "the server could not find the requested resource")


def _respond(status: int, body: bytes, warning: str | None = None) -> web.Response:
    headers = {"Warning": f"299 - {json.dumps(warning)}"} if warning else {}
    return web.Response(status=status, body=body, content_type=_JSON, headers=headers)
