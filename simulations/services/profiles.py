"""Scenarios at a glance: made from the archive when somebody first looks, then kept."""

import logging
import threading
import time
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
    if kept:
        return dict(kept.content)
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


def _made(scenario: Scenario) -> dict[str, Any]:
    found = scenario.inspection
    with files.open_file(str(scenario.file)) as archive:
        return profile(
            cast(BinaryIO, archive), found.get("inputs") or [], begin=found.get("begin") or 0.0, end=found.get("end"),
            limits=archive_limits(), cpu_s=CPU_S, clock=time.thread_time,
        )  # fmt: skip
