"""What runs in processes of its own and may be killed at any instant: reconcilers as deployed, and single passes.

Processes are forked by a server that has Django loaded and nothing open: a start costs milliseconds, not a second.
"""

import logging
import multiprocessing
import os
import sys
from multiprocessing.context import ForkServerProcess
from pathlib import Path

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.chaos.loaded"])
GRACE_S = 3  # of pods; in production a minute
POOL_TIMEOUT_S = 3  # how long a dead PostgreSQL is waited for; in production ten
CHECK_EVERY_S = 3  # between looks at what others did to quotas; in production a minute


def start(name: str, *arguments: object, log: Path) -> ForkServerProcess:
    """Begin the actor of this name in a process of its own, its log appended to the file."""
    process = CONTEXT.Process(target=act, args=(name, str(log), *arguments), daemon=True)
    process.start()
    return process


def act(name: str, log: str, *arguments: object) -> None:
    from django.db import connections

    from clusterops.objects import manifests
    from clusterops.reconciler import namespaces
    from tests.chaos import crashing, loaded

    loaded.ready()
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(out, 1)
    os.dup2(out, 2)
    connections["default"].settings_dict["OPTIONS"]["pool"]["timeout"] = POOL_TIMEOUT_S
    manifests.GRACE_S = GRACE_S
    namespaces.CHECK_EVERY_S = namespaces.RETRY_AFTER_S = CHECK_EVERY_S
    logging.raiseExceptions = False
    parts = {
        "reconciler": reconciler,
        "neighbour": neighbour,
        "one_pass": crashing.one_pass,
        "one_submission": crashing.one_submission,
        "sending": crashing.sending,
    }
    parts[name](*arguments)
    sys.stdout.flush()
    os._exit(0)


def reconciler(interval_s: float, cluster: str = "default") -> None:
    """`manage.py reconcile_jobs`, with a shorter interval so that lost doorbells cost less."""
    from django.core.management import call_command

    call_command("reconcile_jobs", interval=interval_s, cluster=cluster)


def neighbour(interval_s: float, database: str) -> None:
    """The same, of the installation that has this database; what it takes for a stray has no grace."""
    from datetime import timedelta

    from django.db import connections

    from clusterops.reconciler import strays

    connections["default"].settings_dict["NAME"] = database
    strays.GRACE = timedelta(seconds=0)
    reconciler(interval_s)
