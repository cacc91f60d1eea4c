"""`manage.py reconcile_jobs`: make wishes real, for ever or once."""

import logging
import signal
import threading
import time
from argparse import ArgumentParser
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import CommandError
from django.db import Error as DatabaseError
from django.db import close_old_connections

from clusterops import installation
from clusterops.errors import GatewayError
from clusterops.gateway import gateway_of
from clusterops.models import ReconcilerState
from clusterops.reconciler import exporter
from clusterops.reconciler.beside import Beside, LogKeeper
from clusterops.reconciler.doorbell import Bell, Doorbell
from clusterops.reconciler.leader_lock import Lock
from clusterops.reconciler.loop import AGAIN_AFTER_S, between_passes
from clusterops.reconciler.one_pass import Memory, Pass, reconcile_once
from tenants.clusters import FIRST_NAME, Cluster
from tenants.management.base import OperatorCommand, find_cluster

log = logging.getLogger("clusterops.reconciler")

ONCE_WAITS_S = 10.0  # for another reconciler's end


class Command(OperatorCommand):
    help = (
        "Bring the cluster in line with the jobs that are wanted, and their rows with the cluster, until told to end. "
        "Beside a reconciler that runs already it waits for that one's end, with --once ten seconds. Each cluster has "
        "a reconciler of its own."
    )
    example = "manage.py reconcile_jobs --once"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--cluster", default=FIRST_NAME, metavar="NAME", help="to which it attends (default: %(default)s)"
        )
        parser.add_argument("--once", action="store_true", help="one pass, then exit (1 if it ended early)")
        parser.add_argument(
            "--interval", type=float, default=30.0, metavar="S", help="at least one pass every S seconds"
        )
        parser.add_argument(
            "--metrics", default="", metavar="HOST:PORT", help="answer Prometheus there (not with --once)"
        )

    def handle(self, *args: Any, cluster: str, once: bool, interval: float, metrics: str, **options: Any) -> None:
        stop = threading.Event()
        doorbell = Doorbell(stop)
        lock: Lock | None = None

        def end(number: int, frame: FrameType | None) -> None:
            stop.set()
            doorbell.ring()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        try:
            own = self._confirm(cluster, stop, patient=not once)
            if own is None:
                return
            lock = Lock(own.pk)
            if once:
                self._once(own, stop, lock)
            else:
                if metrics:
                    self._serve(metrics, own, lock)
                self._loop(own, stop, doorbell, lock, interval)
        finally:
            if lock:
                lock.release()

    def _serve(self, metrics: str, cluster: Cluster, lock: Lock) -> None:
        try:
            exporter.serve(metrics, lambda: lock.is_ours, cluster.pk, lambda: lock.works_for_all)
        except (OSError, ValueError, OverflowError) as error:
            raise CommandError(f"--metrics {metrics}: {error}") from None

    def _confirm(self, cluster: str, stop: threading.Event, *, patient: bool) -> Cluster | None:
        """This is the installation that the database belongs to; patient while there is no database. The cluster's row;
        None if it was stopped before."""
        while not stop.is_set():
            try:
                log.info("this is the installation %s", installation.confirm())
                return find_cluster(cluster)
            except installation.WrongInstallation as error:
                raise CommandError(str(error)) from error
            except (DatabaseError, psycopg.Error) as error:
                if not patient:
                    raise
                log.warning("the database does not answer: %s", error)
                beat()
                stop.wait(AGAIN_AFTER_S)
        return None

    def _once(self, own: Cluster, stop: threading.Event, lock: Lock) -> None:
        if not lock.wait(stop, ONCE_WAITS_S):
            raise CommandError(
                "Another reconciler is at work, and passes by itself; stop it first to run a single pass."
            )
        try:
            lock.take_all(True)
            this_pass = reconcile_once(gateway_of(own), _memory(own, stop, lock))
        except GatewayError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(" ".join(f"{name}={value}" for name, value in this_pass.summary().items()))
        if problem := ReconcilerState.get(own.pk).error:
            raise CommandError(problem)

    def _loop(self, own: Cluster, stop: threading.Event, doorbell: Doorbell, lock: Lock, interval: float) -> None:
        memory = _memory(own, stop, lock)
        memory.keeper = LogKeeper(doorbell.ring)
        memory.traffic_keeper = Beside("traffic of studies", doorbell.ring)
        memory.submitted = lambda: doorbell.take(Bell.DISPATCH)
        attending, sees_cluster = False, True
        while not stop.is_set():
            begun = time.monotonic()
            this_pass: Pass | None = None
            try:
                if not lock.wait(stop, beat=beat):
                    return
                close_old_connections()
                lock.take_all(sees_cluster)
                own.refresh_from_db()
                gateway = gateway_of(own)
                if not attending:
                    doorbell.attend(gateway)
                    attending = True
                this_pass = reconcile_once(gateway, memory)
                sees_cluster = this_pass.seen
            except GatewayError as error:  # no way to the cluster is configured
                log.error("%s", error)
                sees_cluster = False
                ReconcilerState.objects.update_or_create(
                    pk=own.pk, defaults={"cluster_reachable": False, "error": str(error)}
                )
            except (DatabaseError, psycopg.Error) as error:
                log.warning("the database does not answer: %s", error)
            took = time.monotonic() - begun
            beat()
            try:
                between_passes(this_pass, took, interval, doorbell, stop, lock.held)
            except (DatabaseError, psycopg.Error) as error:
                log.warning("the database does not answer: %s", error)
                stop.wait(AGAIN_AFTER_S)


def _memory(cluster: Cluster, stop: threading.Event, lock: Lock) -> Memory:
    return Memory(stop=stop, cluster_id=cluster.pk, works_for_all=lambda: lock.works_for_all)


def beat() -> None:
    """Tell the probes that the loop goes round, also while it waits for its turn or for the database."""
    if settings.HEARTBEAT_FILE:
        Path(settings.HEARTBEAT_FILE).touch()
