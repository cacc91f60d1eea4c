"""The control loop: every change wakes the controllers that it concerns, timers wake them when something is due."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from localcluster.admission import Quotas
from localcluster.autoscaler import NodePoolController
from localcluster.config import LocalClusterConfig
from localcluster.events import Recorder
from localcluster.jobs import JobController
from localcluster.kubelet import Kubelet
from localcluster.lifecycle import NamespaceController
from localcluster.nodes import LOCAL_NODE, NodeController
from localcluster.resources import EVENTS
from localcluster.scheduler import Scheduler
from localcluster.store import Change, Store

SWEEP_S = 0.25
_ROUNDS = 20  # per turn of the event loop, so that requests are served in between

logger = logging.getLogger(__name__)


class Controllers:
    def __init__(
        self, store: Store, config: LocalClusterConfig, kubelet_fifo: str, on_change: Callable[[], None]
    ) -> None:
        self.store, self.config, self._on_change = store, config, on_change
        self.recorder = Recorder(store)
        self.quotas = Quotas(store)
        self.jobs = JobController(store, self.quotas, self.recorder, config.timing)
        self.scheduler = Scheduler(store, self.recorder)
        self.nodes = NodeController(store, self.recorder, config)
        self.kubelet = Kubelet(store, self.recorder, config, config.data / kubelet_fifo)
        self.namespaces = NamespaceController(store, config.timing.namespace)
        self.pool: NodePoolController | None = None
        self._loop = asyncio.get_running_loop()
        self._changed = False
        self._turn: asyncio.Handle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._sweep_at = 0.0
        self._expire_at = 0.0
        store.listeners.append(self._notice)

    def start(self) -> None:
        self.nodes.register(LOCAL_NODE, self.config.cpu, self.config.memory, {})
        if self.config.autoscaler:
            self.pool = NodePoolController(
                self.store, self.recorder, self.scheduler, self.nodes, self.config.autoscaler
            )
        self.wake()

    def stop(self) -> None:
        for handle in (self._turn, self._timer):
            if handle:
                handle.cancel()

    def wake(self) -> None:
        if self._turn is None:
            self._turn = self._loop.call_soon(self._run)

    def _notice(self, change: Change) -> None:
        self._changed = True
        self._on_change()
        if change.resource is not EVENTS:
            for part in (self.quotas, self.jobs, self.scheduler, self.nodes, self.kubelet):
                part.notice(change)
            self.wake()

    def _run(self) -> None:
        for _ in range(_ROUNDS):
            self._changed = False
            self._round()
            if not self._changed:
                break
        self._turn = None
        if self._changed:
            self.wake()
        self._set_timer()

    def _round(self) -> None:
        now = time.monotonic()
        if now >= self._sweep_at:
            self._sweep_at = now + SWEEP_S
            self._guard(self.kubelet.sweep)
            self._guard(self.nodes.step)
            self._guard(self.namespaces.step)
        if now >= self._expire_at:
            self._expire_at = now + 60.0
            self._guard(lambda: self.recorder.expire(self.config.timing.event_ttl))
        for step in (self.kubelet.step, self.jobs.step, self.scheduler.step, self.quotas.refresh):
            self._guard(step)
        if self.pool:
            self._guard(self.pool.step)

    def _guard(self, step: Callable[[], None]) -> None:
        """One controller's trouble must not stop the others; what it skipped comes again with the next change."""
        try:
            step()
        except Exception:
            logger.exception("a controller failed")

    def _set_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
        due = [self._sweep_at, self.kubelet.agenda.next_due(), self.jobs.agenda.next_due()]
        if self.pool:
            due.append(self.pool.next_due())
        delay = min(moment for moment in due if moment is not None) - time.monotonic()
        self._timer = self._loop.call_later(max(delay, 0.001), self.wake)
