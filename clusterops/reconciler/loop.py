"""Pass after pass, and between two of them what needs no new look at the cluster: recording ends that watches told of,
starting jobs."""

import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.db import close_old_connections

from clusterops.errors import GatewayError
from clusterops.reconciler.dispatch import BOX_S
from clusterops.reconciler.doorbell import Bell, Doorbell
from clusterops.reconciler.meanwhile import start_more
from clusterops.reconciler.pass_state import Pass, Stopped
from clusterops.reconciler.told import record_told

DEBOUNCE_S = 0.1  # rings that come together are answered together
MORE_AFTER_S = 0.25
AGAIN_AFTER_S = 5.0  # after a pass that something did not answer


def rest_after(this_pass: Pass | None, took: float, interval: float) -> float:
    """Seconds that no doorbell cuts short: the cluster is asked for its lists half of the time at most, and less where
    it asked for that. What else a pass does asks for no rest: endings wait for the next lists.
    """
    if this_pass is None:
        return min(interval, max(DEBOUNCE_S, took))
    return min(interval, max(DEBOUNCE_S, this_pass.lists_s if this_pass.able else took, this_pass.rest_s))


def pause_after(this_pass: Pass | None, interval: float) -> float:
    """Seconds until the next pass if nothing rings; `this_pass` is None if there was no database."""
    if this_pass is None or not this_pass.able:
        return min(interval, AGAIN_AFTER_S)
    return MORE_AFTER_S if this_pass.more else interval


def between_passes(
    this_pass: Pass | None,
    took: float,
    interval: float,
    doorbell: Doorbell,
    stop: threading.Event,
    may_go_on: Callable[[], bool],
) -> None:
    """Until the next pass is due: end what watches tell of, answer submissions, and start what the rate left over.

    `may_go_on` is asked before each step; False (the lock is lost) ends the wait. Raises database errors.
    """
    ended = time.monotonic()
    rested_at = ended + rest_after(this_pass, took, interval)
    pass_at = max(rested_at, ended + pause_after(this_pass, interval))
    submitted, told, tell_at = False, False, ended
    while not stop.is_set() and (now := time.monotonic()) < pass_at:
        if this_pass is not None and told and now >= tell_at:
            if not may_go_on():
                return
            submitted = _record_told(this_pass) or submitted  # there is room now
            told, tell_at = False, time.monotonic() + DEBOUNCE_S
        able = this_pass is not None and this_pass.able
        if this_pass is not None and able and (submitted or this_pass.more_to_start):
            stop.wait(0.0 if _may_create(this_pass) else min(DEBOUNCE_S, pass_at - now))
            if stop.is_set() or not may_go_on():
                return
            close_old_connections()
            start_more(this_pass, until=min(pass_at, time.monotonic() + BOX_S))
            submitted, now = False, pass_at  # only look at the bells now
        bells = doorbell.wait((min(pass_at, tell_at) if told else pass_at) - now)
        submitted, told = submitted or Bell.DISPATCH in bells, told or Bell.ENDED in bells
        if Bell.PASS in bells or (submitted and not able):
            pass_at = min(pass_at, rested_at)


def _record_told(this_pass: Pass) -> bool:
    close_old_connections()
    try:
        return record_told(this_pass)
    except (Stopped, GatewayError):
        return False


def _may_create(this_pass: Pass) -> bool:
    """At once: there is more to start than the last step came to."""
    return this_pass.more_to_start and bool(this_pass.memory.bucket.free(settings.DISPATCH_PER_SECOND, 1))
