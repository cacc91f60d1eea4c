"""What fails pass after pass: it steps back, further each time but never for good, and is told to the operator."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from simulations.sumo.protocol.strict_json import clean

FIRST_REST_S = 5.0
LONGEST_REST_S = 600.0
FORGOTTEN_AFTER_S = 180.0  # past its turn without another failure: it is not there any more
LISTED = 20
ERROR_CHARS = 300


@dataclass
class Trouble:
    """One job, tenant or object that failed at its last `times` turns."""

    since: datetime
    times: int = 0
    error: str = ""
    again_at: float = 0.0  # time.monotonic()


class Troubles:
    """Those of this process, of all its threads. Losing them costs a few tries, never correctness."""

    def __init__(self) -> None:
        self._by_name: dict[str, Trouble] = {}

    def rests(self, what: str) -> bool:
        """Whether `what` failed and its next turn has not come."""
        trouble = self._by_name.get(what)
        return trouble is not None and time.monotonic() < trouble.again_at

    def resting(self) -> list[str]:
        """All that `rests`."""
        now = time.monotonic()
        return [what for what, trouble in list(self._by_name.items()) if now < trouble.again_at]

    def failed(self, what: str, error: str, now: datetime) -> None:
        trouble = self._by_name.setdefault(what, Trouble(now))
        trouble.times += 1
        trouble.error = clean(error)[:ERROR_CHARS]
        # Doubling ends long before the number would be too large.
        rest = min(LONGEST_REST_S, FIRST_REST_S * 2 ** min(trouble.times - 1, 10))
        trouble.again_at = time.monotonic() + rest

    def over(self, what: str) -> None:
        self._by_name.pop(what, None)

    def lasting(self) -> dict[str, Trouble]:
        """Those that failed more than once, the oldest first."""
        forgotten = time.monotonic() - FORGOTTEN_AFTER_S
        self._by_name = {what: each for what, each in list(self._by_name.items()) if each.again_at > forgotten}
        lasting = [(what, each) for what, each in self._by_name.items() if each.times > 1]
        return dict(sorted(lasting, key=lambda pair: pair[1].since))

    def told(self, now: datetime) -> list[dict[str, Any]]:
        """The first of `lasting` as JSON, for ReconcilerState."""
        return [
            {
                "what": what,
                "since": each.since.isoformat(),
                "times": each.times,
                "error": each.error,
                "next_try_at": (now + timedelta(seconds=max(0.0, each.again_at - time.monotonic()))).isoformat(),
            }
            for what, each in list(self.lasting().items())[:LISTED]
        ]
