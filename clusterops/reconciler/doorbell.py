"""Doorbells: they wake the loop and say what for, nothing else. A lost ring costs one interval, never an outcome."""

import logging
import threading
from collections.abc import Callable
from enum import Flag, auto

import psycopg

from clusterops import errors
from clusterops.gateway import Gateway
from tenants.database import direct_connection

log = logging.getLogger(__name__)

CHANNEL = "sumok8_doorbell"  # rung by triggers on jobs, tenants and studies; see simulations/migrations/0022
SUBMISSION = "jobs.insert"
WATCHED = ("jobs", "pods")
AGAIN_AFTER_S = 2.0
POLL_S = 1.0
TOGETHER_S = 0.02


class Bell(Flag):
    """What a ring asks for."""

    NONE = 0
    DISPATCH = auto()  # jobs were submitted: the database knows all that is needed
    PASS = auto()  # the cluster changed, or a wish did: look at everything
    ENDED = auto()  # watches told of endings: see `told`


class Doorbell:
    """Threads that listen until `stop`; `wait` is the loop's bed."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._rung = threading.Event()
        self._lock = threading.Lock()
        self._bells = Bell.NONE

    def ring(self, bell: Bell = Bell.PASS) -> None:
        with self._lock:
            self._bells |= bell
        self._rung.set()

    def wait(self, timeout_s: float) -> Bell:
        """Sleep until a ring, `stop` (which must ring too) or the time-out; all that rang since the last time."""
        self._rung.wait(max(0.0, timeout_s))
        with self._lock:
            bells, self._bells = self._bells, Bell.NONE
            self._rung.clear()
        return bells

    def take(self, bell: Bell) -> bool:
        """Whether it rang since the last time; other bells ring on."""
        with self._lock:
            rang = bool(self._bells & bell)
            self._bells &= ~bell
            if not self._bells:
                self._rung.clear()
        return rang

    def attend(self, gateway: Gateway | None) -> None:
        """Start the listening threads. They are daemons: none of them holds up the process's end."""
        tasks: list[tuple[str, Callable[[], None]]] = [("listen", self._listen)]
        if gateway:
            tasks += [(f"watch-{kind}", lambda kind=kind: self._watch(gateway, kind)) for kind in WATCHED]  # type: ignore[misc]
        for name, task in tasks:
            threading.Thread(target=self._keep, args=(name, task), name=name, daemon=True).start()

    def _keep(self, name: str, task: Callable[[], None]) -> None:
        """Begin again after whatever ends `task`; the loop's interval covers the gap."""
        while not self._stop.is_set():
            try:
                task()
            except (errors.GatewayError, psycopg.Error, OSError) as error:
                log.info("%s: %s", name, error)
            except Exception:
                log.exception("%s failed", name)
            self.ring()
            self._stop.wait(AGAIN_AFTER_S)

    def _listen(self) -> None:
        with direct_connection() as own:
            own.execute(f"LISTEN {CHANNEL}")
            self.ring()  # something may have happened before we listened
            while not self._stop.is_set():
                for note in own.notifies(timeout=POLL_S, stop_after=1):
                    self.ring(Bell.DISPATCH if note.payload == SUBMISSION else Bell.PASS)
                self._stop.wait(TOGETHER_S)  # what comes meanwhile is one packet, and one waking

    def _watch(self, gateway: Gateway, kind: str) -> None:
        while not self._stop.is_set():
            for ended in gateway.watch(kind, self._stop):
                self.ring(Bell.PASS | Bell.ENDED if ended else Bell.PASS)
