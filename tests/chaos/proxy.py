"""A faulty way to the cluster: an HTTP proxy that delays, refuses, breaks off, forgets, cuts and lies on demand.

What happens to a request depends on the seed, its verb, its kind of object and how many of that kind came before, not
on the clock: the same seed gives the n-th request of a kind the same fault. Every decision is in the log file.
"""

import asyncio
import json
import random
import re
import socket
import struct
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

FAULTS = ("latency", "throttle", "error", "reset-before", "reset-after", "torn", "expired", "drop", "lag")
KIND = re.compile(r"/(?:api|apis/[^/]+)/v1(?:/namespaces/[^/]+(?=/))?/([a-z]+)(?:/[^/]+)?(/log)?")
MOMENT = 10**9


class Request:
    def __init__(self, head: bytes, body: bytes) -> None:
        line, *rest = head.decode("latin-1").split("\r\n")
        self.method, target, _ = line.split(" ", 2)
        self.headers = [tuple(field.split(": ", 1)) for field in rest if field]
        self.path, self.query = urlsplit(target).path, dict(parse_qsl(urlsplit(target).query))
        self.body = body

    @property
    def is_watch(self) -> bool:
        return self.query.get("watch") == "true"

    @property
    def kind(self) -> str:
        match = KIND.match(self.path)
        name = (match[1] + (match[2] or "")) if match else self.path
        return f"{self.method} {name}{' watch' if self.is_watch else ''}"

    def encode(self, upstream: str) -> bytes:
        target = self.path + (f"?{urlencode(self.query)}" if self.query else "")
        kept = [(k, v) for k, v in self.headers if k.lower() not in ("connection", "host", "accept-encoding")]
        fields = "".join(f"{k}: {v}\r\n" for k, v in [*kept, ("Host", upstream), ("Connection", "close")])
        return f"{self.method} {target} HTTP/1.1\r\n{fields}\r\n".encode("latin-1") + self.body


class FaultyProxy:
    """Listens on loopback, in a thread of its own, in front of `upstream` (host:port).

    `rate`: the share of requests that meets a fault; `page`: the most items that a LIST's page has. Both may be
    changed at any time; `outage` makes everything fail until it is false again, `dead_kubelets` every reading of a log.
    """

    def __init__(self, upstream: str, *, seed: int, log: Path, rate: float = 0.0, page: int = 20) -> None:
        self.upstream, self.seed, self.rate, self.page = upstream, seed, rate, page
        self.only: tuple[str, ...] = FAULTS
        self.counts: Counter[str] = Counter()
        self.requests = 0
        self.port = 0
        self._nth: defaultdict[str, int] = defaultdict(int)
        self._outage = False
        self.dead_kubelets = False
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None] | None] = set()
        self._log = log.open("a", buffering=1)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="faulty-proxy", daemon=True)
        self._thread.start()
        self._ready.wait()

    @property
    def outage(self) -> bool:
        return self._outage

    @outage.setter
    def outage(self, down: bool) -> None:
        self._outage = down
        self._note("outage", "begins" if down else "ends", "")
        if down:
            self._loop.call_soon_threadsafe(lambda: [reset(writer) for writer in self._open])

    def close(self) -> None:
        async def end() -> None:
            self._server.close()
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._log.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)

        async def listen() -> None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**22, backlog=512)
            self.port = self._server.sockets[0].getsockname()[1]

        self._loop.run_until_complete(listen())
        self._ready.set()
        self._loop.run_forever()

    def _note(self, kind: str, fault: str, path: str) -> None:
        record = {"t": round(time.time(), 3), "kind": kind, "n": self._nth[kind], "fault": fault, "path": path}
        self._log.write(json.dumps(record) + "\n")

    def choose(self, request: Request) -> tuple[str, random.Random]:
        """The fault that this request meets, empty for none, and the random numbers for its details."""
        self.requests += 1
        kind = request.kind
        self._nth[kind] += 1
        rng = random.Random(f"{self.seed}:{kind}:{self._nth[kind]}")
        fault = ""
        if rng.random() < self.rate:
            possible = [name for name in self.only if fits(name, request)]
            fault = rng.choice(possible) if possible else ""
        if self.dead_kubelets and kind.startswith("GET pods/log"):
            fault = "error"
        if self._outage:
            fault = "reset-before"
        if fault:
            self.counts[fault] += 1
            self._note(kind, fault, request.path)
        return fault, rng

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        task = asyncio.current_task()
        self._tasks.add(task)  # the loop itself refers to it weakly only
        try:
            while request := await read_request(reader):
                if not await self._pass(request, writer):
                    break
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            self._open.discard(writer)
            writer.close()

    async def _pass(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; False if the connection cannot be used for another."""
        fault, rng = self.choose(request)
        if fault == "latency":
            await asyncio.sleep(rng.uniform(0.02, 0.6))
        elif fault == "throttle":
            return await refuse(
                writer, 429, "TooManyRequests", "the server is overloaded", retry_after=rng.choice((0, 1))
            )
        elif fault == "error":
            return await refuse(writer, 500, "InternalError", "etcdserver: request timed out")
        elif fault == "expired" and not request.is_watch:
            return await refuse(writer, 410, "Expired", "The provided continue parameter is too old")
        elif fault == "reset-before":
            return reset(writer)
        if request.method == "GET" and "limit" in request.query:
            request.query["limit"] = str(min(int(request.query["limit"]), self.page))
        host, port = self.upstream.split(":")
        try:
            upstream, sink = await asyncio.open_connection(host, int(port), limit=2**22)
        except OSError:
            return reset(writer)  # the cluster itself is down
        try:
            sink.write(request.encode(self.upstream))
            return await self._relay(request, fault, rng, upstream, writer)
        finally:
            sink.close()

    async def _relay(
        self,
        request: Request,
        fault: str,
        rng: random.Random,
        upstream: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        head = await upstream.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        if length is None and b" 204 " not in head.split(b"\r\n", 1)[0] + b" ":
            return await self._stream(fault, rng, head, upstream, writer)
        body = await upstream.readexactly(int(length[1])) if length else b""
        if fault == "reset-after":
            return reset(writer)
        head = re.sub(rb"(?i)\r\nconnection: close", b"", head)
        if fault == "torn":
            writer.write(head + body[: rng.randrange(len(body) + 1) // 2])
            await writer.drain()
            await asyncio.sleep(0.01)
            return reset(writer)
        writer.write(head + body)
        await writer.drain()
        return True

    async def _stream(
        self, fault: str, rng: random.Random, head: bytes, upstream: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """A watch or anything else of unknown length, as its parts come; afterwards the connection ends."""
        if fault == "expired":
            text = json.dumps({"type": "ERROR", "object": status(410, "Expired", "too old resource version")}) + "\n"
            writer.write(head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(text), text.encode()))
            await writer.drain()
            return False
        left = rng.randrange(1, 20) if fault in ("drop", "torn", "reset-after") else MOMENT
        writer.write(head)
        while part := await upstream.read(65536):
            if fault == "lag":
                await asyncio.sleep(rng.uniform(0.2, 2.0))
            writer.write(part)
            await writer.drain()
            left -= 1
            if not left:
                return reset(writer)
        return False


def fits(fault: str, request: Request) -> bool:
    """Whether this fault can meet this request at all."""
    if fault in ("drop", "lag"):
        return request.is_watch
    if fault == "expired":
        return request.is_watch or "continue" in request.query
    return True


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    body = await reader.readexactly(int(length[1])) if length else b""
    return Request(head[:-4], body)


def status(code: int, reason: str, message: str) -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }


async def refuse(writer: asyncio.StreamWriter, code: int, reason: str, message: str, retry_after: int = 0) -> bool:
    body = json.dumps(status(code, reason, message)).encode()
    extra = f"Retry-After: {retry_after}\r\n" if retry_after else ""
    head = f"HTTP/1.1 {code} {reason}\r\nContent-Type: application/json\r\n{extra}Content-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
    return True


def reset(writer: asyncio.StreamWriter) -> bool:
    """RST, not FIN: the peer sees "connection reset"."""
    raw: socket.socket | None = writer.get_extra_info("socket")
    if raw is not None and raw.fileno() >= 0:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    return False
