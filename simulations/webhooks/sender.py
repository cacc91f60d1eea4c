"""The sender's loop: calls under way in threads, rows by the loop alone."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from simulations.webhooks import outbox
from simulations.webhooks.outbox import DueDelivery
from simulations.webhooks.posting import EndpointAnswer

log = logging.getLogger("simulations.webhooks")

THREADS = 64  # half of them at most for receivers that fail: these wait for the deadline
PAUSE_S = 1.0


class Sender:
    """Any number may run at once, in any number of processes."""

    def __init__(self, threads: int = THREADS) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, "webhook")
        self._under_way: dict[Future[EndpointAnswer], DueDelivery] = {}

    @property
    def is_busy(self) -> bool:
        """Calls are under way."""
        return bool(self._under_way)

    def step(self, patience_s: float = PAUSE_S) -> int:
        """Address what is new, begin what is due, record what has ended; returns how much of all that there was.

        Waits up to `patience_s` for a call to end if any is under way. Database errors are raised; what was not
        recorded is sent again when its lease has run out.
        """
        work = outbox.address()
        free = self._threads - len(self._under_way)
        failing = sum(call.is_to_failing for call in self._under_way.values())
        for call in outbox.claim(free, max(1, self._threads // 2) - failing) if free else ():
            self._under_way[self._pool.submit(call.make)] = call
            work += 1
        done, _ = wait(self._under_way, patience_s, FIRST_COMPLETED) if self._under_way else (set(), set())
        if done:
            outbox.record([(self._under_way[future], _answer_of(future)) for future in done])
            for future in done:
                del self._under_way[future]
        return work + len(done)

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
            self._pool.shutdown(wait=False)  # another sender follows an error, with threads of its own

    def finish(self) -> None:
        """Record what is under way, begin nothing more."""
        outbox.record([(call, _answer_of(future)) for future, call in self._under_way.items()])
        self._under_way.clear()
        self._pool.shutdown()


def _answer_of(future: Future[EndpointAnswer]) -> EndpointAnswer:
    try:
        return future.result()
    except Exception:
        log.exception("a webhook could not be sent, which is our fault")
        return EndpointAnswer(problem="An error of the service's own.")
