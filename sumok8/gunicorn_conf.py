"""How gunicorn serves the product, behind nginx: `python -m sumok8.web` starts both.

Alone it serves too (`gunicorn -c python:sumok8.gunicorn_conf sumok8.wsgi`), but then every slow client holds a thread:
put a proxy in front that buffers requests and answers.
"""

import os
import socket
import tempfile
from typing import Any
from urllib.parse import quote

from gunicorn.glogging import Logger

from sumok8 import probes

bind = os.environ.get("BIND", "127.0.0.1:8000")  # nothing listens beyond loopback unless asked
probe_bind = os.environ.get("PROBE_BIND", "")
workers = int(os.environ.get("WEB_WORKERS", "2"))
worker_class = "gthread"
threads = int(
    os.environ.get("WEB_THREADS", "64")
)  # most wait: LOG_FOLLOWERS of them at most, then uploads and downloads
timeout = 60
graceful_timeout = 20
keepalive = 75  # longer than clients poll and than proxies keep idle connections
max_requests = 20_000
max_requests_jitter = 2_000
control_socket_disable = True  # a read-only root filesystem has no place for it
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112 - heartbeat files off the disk
limit_request_line = 8190
secure_scheme_headers: dict[str, str] = {}  # whether a request came by HTTPS is the setting HTTPS's to judge


class AccessLog(Logger):
    """Addresses as they may be sent, so that none breaks a line or speaks to a terminal."""

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        return found | {"U": quote(found["U"] or "", encoding="latin-1")}


logger_class = AccessLog
_quiet = os.environ.get("LOG_LEVEL", "INFO").upper() in {"WARNING", "ERROR", "CRITICAL"}
accesslog = None if _quiet or bind.startswith("unix:") else "-"  # on a socket of its own nginx keeps it
access_log_format = '%(t)s %(h)s "%(m)s %(U)s" %(s)s %(b)s %(M)sms %({x-request-id}o)s'  # no query strings, no headers

# Whichever worker answers /metrics answers for all of them; read by prometheus_client when workers import it.
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="sumok8-metrics-"))

_probe_listeners: list[socket.socket] = []


def when_ready(server: Any) -> None:
    """Before there are workers: what they listen to together."""
    if probe_bind:
        _probe_listeners.append(probes.listen(probe_bind))


def post_worker_init(worker: Any) -> None:
    """The application is loaded."""
    for listener in _probe_listeners:
        probes.serve(listener, worker.wsgi)
