"""gunicorn's threaded worker, whose threads stay a moment with a connection that they have answered.

The worker of gunicorn hands every request from the thread that listens to another one and back. nginx keeps its
connections and mostly asks again at once, and then handing over costs as much as many an answer.
"""

import select
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

LINGER_MS = 100


class Worker(ThreadWorker):
    """Lingers only while there are few connections, so that half of the threads are free for new ones."""

    def handle(self, conn: Any) -> Any:
        """True: the connection may be used again and is the listening thread's to watch."""
        kept = super().handle(conn)
        if kept is not True:
            return kept
        more = select.poll()
        more.register(conn.sock, select.POLLIN)
        while kept is True and self.alive and self.nr_conns <= self.cfg.threads // 2 and more.poll(LINGER_MS):
            kept = super().handle(conn)
        return kept
