"""How gunicorn serves the product, behind nginx: `python -m sumok8.web` starts both.

Alone it serves too (`gunicorn -c python:sumok8.gunicorn_conf sumok8.wsgi`), but then every slow client holds a thread:
put a proxy in front that buffers requests and answers.
"""

import gc
import os
import signal
import socket
import threading
from typing import Any

from gunicorn import util

from sumok8 import gunicorn_answers, probes
from sumok8.gunicorn_log import GunicornLog

bind = os.environ.get("BIND", "127.0.0.1:8000")  # nothing listens beyond loopback unless asked
probe_bind = os.environ.get("PROBE_BIND", "")
workers = int(os.environ.get("WEB_WORKERS", "2"))
worker_class = "sumok8.web_worker.Worker"
# Most of them wait: LOG_FOLLOWERS and 24 for their turn (see simulations/held.py) at most, then uploads.
threads = int(os.environ.get("WEB_THREADS", "80"))
timeout = 60
graceful_timeout = 20
keepalive = 75  # longer than clients poll and than proxies keep idle connections
max_requests = 100_000  # a start costs as much as a thousand answers
max_requests_jitter = 10_000
control_socket_disable = True  # a read-only root filesystem has no place for it
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112 - heartbeat files off the disk
limit_request_line = 8190
secure_scheme_headers: dict[str, str] = {}  # whether a request came by HTTPS is the setting HTTPS's to judge


logger_class = GunicornLog
util.write_error = gunicorn_answers.write_error  # it knows no setting for it
_quiet = os.environ.get("LOG_LEVEL", "INFO").upper() in {"WARNING", "ERROR", "CRITICAL"}
accesslog = None if _quiet or bind.startswith("unix:") else "-"  # on a socket of its own nginx keeps it

_probe_listeners: list[socket.socket] = []


def when_ready(server: Any) -> None:
    """Before there are workers: what they listen to together."""
    if probe_bind:
        _probe_listeners.append(probes.listen(probe_bind))


def child_exit(server: Any, worker: Any) -> None:
    """In the arbiter, however the worker ended: what it counted stays counted."""
    from sumok8.dead_workers import counts_folder, fold

    if folder := counts_folder():
        try:
            fold(folder, worker.pid)
        except Exception as error:  # noqa: BLE001 - whatever is in that file: the arbiter goes on
            server.log.warning("the counts of worker %s are lost: %s", worker.pid, error)


def post_worker_init(worker: Any) -> None:
    """Probes are answered from here on, and what waits ends with a word when the worker is to end."""
    from clusterops.api.log_followers import shared_logs  # not before the settings are loaded
    from simulations.api.job_waiters import waiters

    told = threading.Event()
    # Sent on by the arbiter; `sumok8.web` sends it as nginx begins to end, which waits for what is under way.
    signal.signal(signal.SIGUSR1, lambda number, frame: told.set())
    shared_logs.ending = waiters.ending = lambda: told.is_set() or not worker.alive
    for listener in _probe_listeners:
        probes.serve(listener, worker.wsgi)
    # What was imported stays: looking through it again and again for garbage is a tenth of an answer.
    gc.collect()
    gc.freeze()
