"""Doorbells: they wake the loop and carry nothing else. A lost ring costs one interval, never an outcome."""

import logging
import threading
import time
from collections.abc import Callable

import psycopg

from clusterops import errors
from clusterops.gateway import Gateway
from tenants.database import direct_connection

log = logging.getLogger(__name__)

CHANNEL = "sumok8_doorbell"  # rung by triggers: simulations/migrations/0002, tenants/migrations/0002
WATCHED = ("jobs", "pods")
AGAIN_AFTER_S = 2.0
POLL_S = 1.0


class Doorbell:
    """Threads that listen until `stop`; `wait` is the loop's bed."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._rung = threading.Event()

    def ring(self) -> None:
        self._rung.set()

    def wait(self, timeout_s: float, *, not_before_s: float = 0.0) -> None:
        """Sleep until a ring, `stop` (which must ring too) or the time-out; in any case at least `not_before_s`."""
        begun = time.monotonic()
        self._rung.wait(timeout_s)
        self._stop.wait(max(0.0, not_before_s - (time.monotonic() - begun)))
        self._rung.clear()

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
                for _ in own.notifies(timeout=POLL_S, stop_after=1):
                    self.ring()

    def _watch(self, gateway: Gateway, kind: str) -> None:
        while not self._stop.is_set():
            for _ in gateway.watch(kind, self._stop):
                self.ring()
