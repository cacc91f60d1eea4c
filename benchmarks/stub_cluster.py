"""The API server of `benchmarks.api_server` in a process of its own, and what it is asked from here."""

import contextlib
import json
import multiprocessing
import resource
import tempfile
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any


def serve(jobs: list[tuple[str, str]], lasts_s: float, pipe: Connection) -> None:
    """The process: tells its port, then obeys ("finish", names), ("count",), ("times",) and ("cpu",)."""
    import threading

    from benchmarks.api_server import ApiServer

    server = ApiServer(jobs, lasts_s)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    pipe.send(server.server_address[1])
    while True:
        match pipe.recv():
            case ("finish", names):
                server.finish(names)
                pipe.send(None)
            case ("count",):
                pipe.send(server.requests)
            case ("times",):
                pipe.send((dict(server.created_at), dict(server.ended_at)))
            case ("cpu",):
                used = resource.getrusage(resource.RUSAGE_SELF)
                pipe.send(used.ru_utime + used.ru_stime)


def ask(server: Connection, *what: Any) -> Any:
    server.send(what)
    return server.recv()


@contextlib.contextmanager
def kubeconfig_to(jobs: list[tuple[str, str]], *, lasts_s: float = 0.0) -> Iterator[tuple[Path, Connection]]:
    """The way to an API server with these jobs, and the pipe that commands it."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(jobs, lasts_s, theirs), daemon=True)
    server.start()
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "b",
        "clusters": [{"name": "b", "cluster": {"server": f"http://127.0.0.1:{ours.recv()}"}}],
        "users": [{"name": "b", "user": {"token": "none"}}],
        "contexts": [{"name": "b", "context": {"cluster": "b", "user": "b"}}],
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kubeconfig"
        path.write_text(json.dumps(config))
        try:
            yield path, ours
        finally:
            server.terminate()
            server.join()


@contextlib.contextmanager
def served(jobs: list[tuple[str, str]]) -> Iterator[tuple[Any, Connection]]:
    """A gateway to it."""
    from clusterops.gateway import Gateway, KubeApi

    with kubeconfig_to(jobs) as (path, server):
        yield Gateway(KubeApi(str(path))), server
