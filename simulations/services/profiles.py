"""Scenarios at a glance: made from the archive when somebody first looks, then kept."""

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any, BinaryIO, cast

from simulations import files
from simulations.models import Scenario, ScenarioProfile
from simulations.services.scenarios import archive_limits
from simulations.sumo.inputs.profile import VERSION, profile
from simulations.sumo.protocol.problems import InvalidScenario
from tenants.errors import ApiError

CPU_S = 2.0
logger = logging.getLogger(__name__)
_making = threading.Lock()  # one at a time: it is CPU time that others' requests wait for


def profile_of(scenario: Scenario, *, may_wait: bool = True) -> dict[str, Any] | None:
    """What `sumo.inputs.profile` tells of it. None if its file cannot be read, or (`may_wait` false) if it is not there
    yet and another is being made."""
    kept = ScenarioProfile.objects.filter(scenario=scenario, content__v=VERSION).first()
    return dict(kept.content) if kept else _make(scenario, may_wait=may_wait)


def _make(scenario: Scenario, *, may_wait: bool) -> dict[str, Any] | None:
    if not _making.acquire(blocking=may_wait):
        return None
    try:
        content = _made(scenario)
    except (FileNotFoundError, ApiError, InvalidScenario) as error:
        logger.info("No profile of %s: %s", scenario, error)
        return None
    finally:
        _making.release()
    ScenarioProfile.objects.update_or_create(scenario=scenario, defaults={"content": content})
    return content


def with_profile(scenarios: Sequence[Scenario]) -> set[int]:
    """Which have theirs, by key. One query."""
    kept = ScenarioProfile.objects.filter(scenario__in=scenarios, content__v=VERSION)
    return set(kept.values_list("pk", flat=True))


def make_some(scenarios: Sequence[Scenario], *, within_s: float) -> None:
    """Those that are not there yet, one after the other while there is time."""
    ends, made = time.monotonic() + within_s, with_profile(scenarios)
    for scenario in scenarios:
        if time.monotonic() >= ends:
            return
        if scenario.pk not in made:
            _make(scenario, may_wait=False)


def _made(scenario: Scenario) -> dict[str, Any]:
    found = scenario.inspection
    with files.open_file(str(scenario.file)) as archive:
        return profile(
            cast(BinaryIO, archive), found.get("inputs") or [], begin=found.get("begin") or 0.0, end=found.get("end"),
            limits=archive_limits(), cpu_s=CPU_S, clock=time.thread_time,
        )  # fmt: skip
