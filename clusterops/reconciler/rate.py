"""The rate at which the cluster is given new Jobs: a token bucket."""

import time

BURST_S = 2.0  # what was not used for so long may be used at once: a pass over a large cluster takes that long


class Bucket:
    """Fills at `rate` tokens a second; a rate of 0 is no limit. Not safe to share between threads."""

    def __init__(self) -> None:
        self._tokens = 0.0
        self._filled_at = float("-inf")

    def free(self, rate: float, most: int) -> int:
        """Whole tokens that may be taken now, at most `most`."""
        if not rate:
            return most
        now = time.monotonic()
        self._tokens = min(
            max(1.0, rate * BURST_S), self._tokens + rate * min(now - self._filled_at, BURST_S + 1 / rate)
        )
        self._filled_at = now
        return max(0, min(most, int(self._tokens)))

    def take(self, number: int) -> None:
        self._tokens -= number
