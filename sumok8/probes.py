"""/healthz, /readyz and /metrics on a listener of their own (PROBE_BIND), answered by a thread of every worker.

Whatever waits at the main port, in its queue or in the threads behind it, is not before a probe here.
"""

import socket
import socketserver
import threading
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

PATHS = {"/healthz", "/readyz", "/metrics"}
TIMEOUT_S = 5.0  # for a client that connects and does not ask
Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def listen(address: str) -> socket.socket:
    """A listener on `address` (host:port), for all workers together: made before they are."""
    host, _, port = address.rpartition(":")
    listener = socket.create_server((host, int(port)), backlog=128)
    listener.setblocking(False)  # another worker may be faster
    return listener


def serve(listener: socket.socket, application: Application) -> None:
    """Answer PATHS by `application` from now on, in a thread that ends with this process."""

    def only_probes(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] in PATHS:
            return application(environ, start_response)
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"Probes only.\n"]

    server = _Server(listener.getsockname()[:2], _Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    server.server_name, server.server_port = listener.getsockname()[:2]
    server.setup_environ()
    server.set_app(only_probes)
    threading.Thread(target=server.serve_forever, name="probes", daemon=True).start()


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    timeout = TIMEOUT_S

    def log_message(self, *arguments: Any) -> None:
        """Probes are not in the access log."""
