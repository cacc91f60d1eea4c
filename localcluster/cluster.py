"""The embedded cluster as one thing to start and stop: in this process, in a thread, or as a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from aiohttp import web

from localcluster import defaults, kubeconfig
from localcluster.api import Api
from localcluster.config import LocalClusterConfig
from localcluster.controllers import Controllers
from localcluster.listing import Lists
from localcluster.logs import Logs
from localcluster.resources import NAMESPACES
from localcluster.server import Server
from localcluster.store import Store

FIFO = "notify.fifo"
_PROJECT = Path(__file__).resolve().parents[1]

logger = logging.getLogger(__name__)


class AlreadyRunning(RuntimeError):
    """Another local cluster uses this data directory."""


class LocalCluster:
    """`start()` and `stop()` run it in a thread; `run()` runs it here until SIGTERM or SIGINT."""

    def __init__(self, config: LocalClusterConfig) -> None:
        self.config = config
        self.port = 0
        self.token = ""
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._stop_pods = False
        self._ready = threading.Event()
        self._error: BaseException | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when it listens and the kubeconfig is written."""
        self._thread = threading.Thread(target=self._run_in_thread, name="local-cluster", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._error:
            raise self._error

    def stop(self, *, stop_pods: bool = False) -> None:
        """Stops serving. Pods go on and are adopted by the next cluster on this data, unless `stop_pods`."""
        self._stop_pods = stop_pods
        if self._loop and self._stop and self._thread:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def run(self, *, stop_pods: bool = False) -> None:
        self._stop_pods = stop_pods
        asyncio.run(self._serve(signals=True))

    def _run_in_thread(self) -> None:
        try:
            asyncio.run(self._serve(signals=False))
        except BaseException as error:  # noqa: BLE001  handed to the thread that called start()
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self, *, signals: bool) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        data = self.config.data
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.ExitStack() as stack:
            _lock(data / "cluster.lock", stack)
            self.token = kubeconfig.keep_token(data / "token")
            store = Store(data / "objects.sqlite", history=self.config.history)
            stack.callback(store.close)
            _make_namespaces(store)
            server: Server | None = None

            def ring() -> None:
                if server:
                    server.doorbell.ring()

            fifo = _open_fifo(data / FIFO, stack)
            controllers = Controllers(store, self.config, FIFO, ring)
            stack.callback(controllers.stop)
            lists = Lists(store, self.config.timing.continue_ttl)
            api = Api(store, controllers.quotas)
            server = Server(store, api, lists, Logs(store, self.config), self.token, self.config.timing)
            self._loop.add_reader(fifo, _hear, fifo, controllers)
            stack.callback(self._loop.remove_reader, fifo)
            controllers.start()
            if signals:
                for number in (signal.SIGTERM, signal.SIGINT):
                    self._loop.add_signal_handler(number, self._stop.set)
            await self._listen(server, stack)
            if self._stop_pods:
                controllers.kubelet.stop_all()

    async def _listen(self, server: Server, stack: contextlib.ExitStack) -> None:
        assert self._stop is not None
        runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        listener = _bind(self.config.port, self.config.data / "port")
        stack.callback(listener.close)
        await web.SockSite(runner, listener, backlog=1024).start()
        self.port = listener.getsockname()[1]
        kubeconfig.write(self.config.kubeconfig, self.port, self.token)
        logger.info("local cluster listens on %s, kubeconfig %s", self.url, self.config.kubeconfig)
        self._ready.set()
        await self._stop.wait()
        server.end_streams()
        await runner.cleanup()


def start_process(config: LocalClusterConfig, *, timeout_s: float = 20.0) -> subprocess.Popen[bytes]:
    """Starts the cluster as a process of its own; returns when it listens (its kubeconfig is freshly written)."""
    config.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    kubeconfig.write_private(config.data / "config.json", config.to_json())
    config.kubeconfig.unlink(missing_ok=True)
    argv = [sys.executable, "-m", "localcluster.serve", str(config.data / "config.json")]
    env = {**os.environ, "PYTHONPATH": str(_PROJECT)}
    with (config.data / "cluster.log").open("ab") as log:
        process = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    deadline = time.monotonic() + timeout_s
    while not config.kubeconfig.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            text = (config.data / "cluster.log").read_text()[-2000:]
            raise RuntimeError(f"the local cluster did not start:\n{text}")
        time.sleep(0.02)
    return process


def _lock(path: Path, stack: contextlib.ExitStack) -> None:
    file = stack.enter_context(path.open("w"))
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise AlreadyRunning(f"another local cluster uses {path.parent}") from None


def _make_namespaces(store: Store) -> None:
    for name in ("default", "kube-system", "kube-public", "kube-node-lease"):
        if not store.find(NAMESPACES, ("", name)):
            namespace: dict[str, object] = {"metadata": {"name": name}}
            defaults.apply(NAMESPACES, namespace)
            store.create(NAMESPACES, namespace)


def _open_fifo(path: Path, stack: contextlib.ExitStack) -> int:
    """Opened for writing too, so that it never reads as ended when the last shim closes it."""
    if not path.exists():
        os.mkfifo(path, 0o600)
    fifo = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    stack.callback(os.close, fifo)
    return fifo


def _hear(fifo: int, controllers: Controllers) -> None:
    for uid in os.read(fifo, 65536).decode().split():
        controllers.kubelet.told(uid)
    controllers.wake()


def _bind(port: int, remembered: Path) -> socket.socket:
    """The wanted port, or the one of last time so that clients find us again, or any free one."""
    last = int(remembered.read_text()) if remembered.exists() else 0
    for candidate in [port] if port else [last, 0]:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", candidate))
        except OSError:
            listener.close()
            if candidate == 0 or port:
                raise
            continue
        remembered.write_text(str(listener.getsockname()[1]))
        return listener
    raise AssertionError("port 0 always binds")
