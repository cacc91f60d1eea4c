"""How gunicorn serves the product: `gunicorn -c python:sumok8.gunicorn_conf sumok8.wsgi`."""

import os
import tempfile
from typing import Any
from urllib.parse import quote

from gunicorn.glogging import Logger

bind = os.environ.get("BIND", "127.0.0.1:8000")  # nothing listens beyond loopback unless asked
workers = int(os.environ.get("WEB_WORKERS", "2"))
worker_class = "gthread"
threads = int(
    os.environ.get("WEB_THREADS", "64")
)  # most wait: LOG_FOLLOWERS of them at most, then uploads and downloads
timeout = 60
graceful_timeout = 20
keepalive = 5
max_requests = 20_000
max_requests_jitter = 2_000
control_socket_disable = True  # a read-only root filesystem has no place for it
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112 - heartbeat files off the disk
limit_request_line = 8190


def post_worker_init(worker: Any) -> None:
    """Logs that are followed end with a word, instead of being cut off, when the worker is asked to end."""
    from clusterops.api.log_followers import tails  # not before the settings are loaded

    tails.ending = lambda: not worker.alive


class AccessLog(Logger):
    """Addresses as they may be sent, so that none breaks a line or speaks to a terminal."""

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        return found | {"U": quote(found["U"] or "", encoding="latin-1")}


logger_class = AccessLog
accesslog = None if os.environ.get("LOG_LEVEL", "INFO").upper() in {"WARNING", "ERROR", "CRITICAL"} else "-"
access_log_format = '%(t)s %(h)s "%(m)s %(U)s" %(s)s %(b)s %(M)sms %({x-request-id}o)s'  # no query strings, no headers

# Whichever worker answers /metrics answers for all of them; read by prometheus_client when workers import it.
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="sumok8-metrics-"))
