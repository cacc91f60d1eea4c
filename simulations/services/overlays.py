"""A version of a scenario from another one: only what differs is sent."""

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

from simulations import files
from simulations.models import Scenario
from simulations.services.scenarios import add_scenario, archive_limits, refused
from simulations.sumo.inputs.overlay import lay_over
from simulations.sumo.protocol.problems import InvalidScenario
from tenants.errors import ApiError
from tenants.models import Tenant


def add_overlay(
    *,
    tenant: Tenant,
    base: Scenario,
    changes: BinaryIO | None,
    removed: Sequence[str],
    save_as: str,
    config: str | None = None,
) -> tuple[Scenario, bool]:
    """Keep `base` with `changes` (a zip) laid over it, without `removed`, as a version of `save_as`.

    It is checked as any upload. Returns (version, whether it is new): if `save_as` has a version with the very same
    content, that one. Raises ApiError as `add_scenario`, and 404 scenario.not_found if the base goes meanwhile.
    """
    wanted = config or base.config
    with _opened(base) as old, files.room_on_disk(), tempfile.TemporaryFile() as target:
        try:
            is_other = lay_over(old, changes, removed, target, archive_limits())
        except InvalidScenario as error:
            raise refused(error.problems) from error
        content: Any = target if is_other else old
        content.seek(0)
        sha256 = hashlib.file_digest(content, "sha256").hexdigest() if is_other else base.sha256
        alike = Scenario.objects.filter(tenant=tenant, scenario_id=save_as, sha256=sha256, config=wanted)
        if known := alike.order_by("-version").first():
            return known, False
        size = content.seek(0, 2)
        return add_scenario(
            tenant=tenant, scenario_id=save_as, content=content, size=size, sha256=sha256, config=wanted
        )


@contextmanager
def _opened(base: Scenario) -> Iterator[BinaryIO]:
    try:
        file = files.open_file(str(base.file))
    except FileNotFoundError:
        raise ApiError(404, "scenario.not_found", "The base was deleted at this very moment.") from None
    with file:
        yield cast(BinaryIO, file)
