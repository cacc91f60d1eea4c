"""The sender's loop: calls under way in threads, rows by the loop alone."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue

from simulations.webhooks import outbox
from simulations.webhooks.outbox import DueDelivery, Lane
from simulations.webhooks.posting import EndpointAnswer

log = logging.getLogger("simulations.webhooks")

THREADS = 64  # half of them at most for receivers that fail: these wait for the deadline
PAUSE_S = 1.0
LOOK_EVERY_S = 0.2  # for what is new and due while calls are under way
TOGETHER_S = 0.02  # answers that come within it are noted in one transaction
LANE_S = 5.0  # then it is another endpoint's turn
Ended = tuple[DueDelivery, EndpointAnswer | None]  # None: it was not tried


class Sender:
    """Any number may run at once, in any number of processes."""

    def __init__(self, threads: int = THREADS) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, "webhook")
        self._lanes: set[Lane] = set()
        self._back: SimpleQueue[Ended | Lane] = SimpleQueue()  # calls as they end, then their lane
        self._ends = threading.Event()
        self._looks_at = 0.0

    @property
    def is_busy(self) -> bool:
        """Calls are under way."""
        return bool(self._lanes)

    def step(self, patience_s: float = PAUSE_S) -> int:
        """Address what is new, begin what is due, record what has ended; returns how much of all that there was.

        Waits up to `patience_s` for a call to end if any is under way. Database errors are raised; what was not
        recorded is sent again when its lease has run out.
        """
        work = 0
        if time.monotonic() >= self._looks_at:
            work = outbox.address() + self._begin()
            self._looks_at = 0.0 if work else time.monotonic() + LOOK_EVERY_S
        return work + self._note(patience_s)

    def _begin(self) -> int:
        free = self._threads - len(self._lanes)
        if not free:
            return 0
        failing = sum(lane.is_to_failing for lane in self._lanes)
        lanes = outbox.claim(free, max(1, self._threads // 2) - failing)
        self._lanes.update(lanes)
        for lane in lanes:
            self._pool.submit(self._send, lane)
        return len(lanes)

    def _send(self, lane: Lane) -> None:
        """In a thread of its own. The first that fails is the last that is tried: it may be the receiver's fault."""
        began, goes_on = time.monotonic(), True
        for call in lane.calls:
            answer = _made(call) if goes_on else None
            self._back.put((call, answer))
            lasts = time.monotonic() - began < LANE_S and not self._ends.is_set()
            goes_on = goes_on and answer is not None and answer.is_delivered and lasts
        self._back.put(lane)

    def _note(self, patience_s: float) -> int:
        """Record what has come back; how much that was."""
        ended: list[Ended] = []
        before = len(self._lanes)
        until = time.monotonic() + patience_s
        while self._lanes:
            try:
                back = self._back.get(timeout=max(0.0, until - time.monotonic()))
            except Empty:
                break
            if isinstance(back, Lane):
                self._lanes.remove(back)
                until = self._looks_at = 0.0  # a thread is free
            else:
                ended.append(back)
                until = min(until, time.monotonic() + TOGETHER_S)
        outbox.give_back(call for call, answer in ended if answer is None)
        if made := [(call, answer) for call, answer in ended if answer is not None]:
            outbox.record(made)
        return len(ended) + before - len(self._lanes)

    def run(self, stop: threading.Event, beat: Callable[[], None]) -> None:
        """Until `stop`; then what is under way is still recorded. `beat` is called each time round."""
        try:
            while not stop.is_set():
                beat()
                if not self.step() and not self.is_busy:
                    outbox.forget()
                    stop.wait(PAUSE_S)
            self.finish()
        finally:
            self._ends.set()
            self._pool.shutdown(wait=False)  # another sender follows an error, with threads of its own

    def finish(self) -> None:
        """Record what is under way, begin nothing more."""
        self._ends.set()
        while self._lanes:
            self._note(PAUSE_S)
        self._pool.shutdown()


def _made(call: DueDelivery) -> EndpointAnswer:
    try:
        return call.make()
    except Exception:
        log.exception("a webhook could not be sent, which is our fault")
        return EndpointAnswer(problem="An error of the service's own.")
