"""How gunicorn serves the product: `gunicorn -c python:sumok8.gunicorn_conf sumok8.wsgi`."""

import os
import tempfile
from typing import Any

from sumok8.gunicorn_log import GunicornLog

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


logger_class = GunicornLog
accesslog = None if os.environ.get("LOG_LEVEL", "INFO").upper() in {"WARNING", "ERROR", "CRITICAL"} else "-"

# Whichever worker answers /metrics answers for all of them; read by prometheus_client when workers import it.
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="sumok8-metrics-"))
