"""What staff do with scenarios, whoever owns them."""

from django.db import transaction

from simulations.models import Job, Scenario
from simulations.services.scenarios import delete_unused_file, delete_versions, lock
from tenants.errors import ApiError


def share_scenario(*, scenario: Scenario) -> tuple[Scenario, bool]:
    """Offer this version's content to all tenants, as the next shared version of its name; the owner's stays.

    Returns (shared version, whether it is new).
    """
    with transaction.atomic():
        lock(f"scenario::{scenario.scenario_id}")
        newest = Scenario.objects.filter(tenant=None, scenario_id=scenario.scenario_id).order_by("-version").first()
        if newest and (newest.sha256, newest.config) == (scenario.sha256, scenario.config):
            return newest, False
        lock(f"file:{scenario.file}")
        shared = Scenario.objects.create(
            tenant=None,
            scenario_id=scenario.scenario_id,
            version=newest.version + 1 if newest else 1,
            sha256=scenario.sha256,
            file=scenario.file.name,
            size_bytes=scenario.size_bytes,
            config=scenario.config,
            inspection=scenario.inspection,
        )
    return shared, True


def delete_version(*, scenario: Scenario) -> None:
    """Delete one version and, if nothing else needs it, its file. Raises ApiError 409 scenario.in_use."""
    with transaction.atomic():
        # A submission that names it holds this row's key until its insert is committed.
        Scenario.objects.select_for_update().get(pk=scenario.pk)
        if count := Job.objects.active().filter(scenario=scenario).count():
            raise ApiError(409, "scenario.in_use", f"{count} job(s) that have not ended use {scenario}.")
        delete_versions(scenario.tenant_id, [scenario])
        transaction.on_commit(lambda: delete_unused_file(str(scenario.file)))
