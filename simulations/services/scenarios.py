"""Uploading and deleting scenarios. Content is stored once; rows are immutable versions that point at it."""

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, BinaryIO, NamedTuple

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import ProtectedError

from simulations import files
from simulations.models import Job, Scenario
from simulations.services import storage
from simulations.sumo.inputs.archive import ArchiveLimits
from simulations.sumo.inputs.scenario_check import Inspection, check_scenario
from simulations.sumo.protocol.problems import Problem
from tenants import plain_sql
from tenants.database import give_connection_back
from tenants.errors import ApiError
from tenants.models import Tenant

HAS = "SELECT EXISTS (SELECT FROM scenarios WHERE tenant_id = %(tenant)s AND file = %(file)s)"
NEWEST = """
SELECT id, version, sha256, config FROM scenarios WHERE {owner} AND scenario_id = %(scenario_id)s
ORDER BY version DESC LIMIT 1
"""
RAN = """
SELECT max((scenario_data ->> 'scenario_version')::int) FROM jobs
WHERE tenant_id = %(tenant)s AND scenario_data ->> 'scenario_id' = %(scenario_id)s
"""
SCENARIO_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def archive_limits() -> ArchiveLimits:
    """The installation's bounds for an archive."""
    return ArchiveLimits(
        bytes=settings.SCENARIO_MAX_BYTES,
        files=settings.SCENARIO_MAX_FILES,
        unpacked_bytes=settings.SCENARIO_MAX_UNPACKED_BYTES,
        ratio=settings.SCENARIO_MAX_RATIO,
    )


def add_scenario(
    *, tenant: Tenant | None, scenario_id: str, content: BinaryIO, size: int, sha256: str, config: str | None = None
) -> tuple[Scenario, bool]:
    """Check a zip and keep it as the next version of `scenario_id`; `tenant=None` shares it with all.

    Returns (version, whether it is new): what is the newest version already is not added again. Raises
    ApiError: 422 scenario.invalid with everything that is wrong, 413 scenarios.tenant_limit, 507 storage.full, 503.
    """
    if not SCENARIO_ID.fullmatch(scenario_id):
        raise ApiError(422, "scenario.bad_name", "Use 1 to 64 letters, digits, dots, underscores and hyphens.")
    give_connection_back()  # a large one takes seconds
    inspection = inspect_scenario(content, config)
    name = files.scenario_name(sha256, store=tenant.cluster.storage if tenant else files.DEFAULT)
    if tenant and not _has(tenant, name):
        storage.expect(tenant.pk, "scenarios", size)
    try:
        _keep(name, content, size, sha256)
        scenario, is_new = _add_version(
            tenant, scenario_id, name, content, size, sha256, inspection.config or "", inspection.as_dict()
        )
    except (ApiError, DatabaseError):
        with suppress(ApiError, DatabaseError):  # else `prune` finds it
            delete_unused_file(name)
        raise
    if str(scenario.file) != name:  # its tenant has moved since, and what it has stays where it is
        delete_unused_file(name)
    return scenario, is_new


def inspect_scenario(content: BinaryIO, config: str | None) -> Inspection:
    """What is in a zip that can be run. Raises ApiError 422 scenario.invalid with everything that is wrong."""
    inspection = check_scenario(content, config=config, limits=archive_limits())
    if inspection.problems or inspection.config is None:
        raise refused(inspection.problems)
    return inspection


def refused(problems: Iterable[Problem]) -> ApiError:
    """The answer that lists them."""
    message = "The scenario cannot be used; details lists everything that is wrong."
    return ApiError(422, "scenario.invalid", message, details=[each.as_dict() for each in problems])


@transaction.atomic
def _add_version(
    tenant: Tenant | None,
    scenario_id: str,
    name: str,
    content: BinaryIO,
    size: int,
    sha256: str,
    config: str,
    inspection: dict[str, Any],
) -> tuple[Scenario, bool]:
    lock(f"scenario:{tenant.pk if tenant else ''}:{scenario_id}")
    newest = _newest(tenant, scenario_id)
    if newest and (newest.sha256, newest.config) == (sha256, config):
        return Scenario.objects.get(pk=newest.pk), False
    lock(f"file:{name}")
    _keep(name, content, size, sha256)  # whoever deleted its last version meanwhile took the file along
    if tenant and not _has(tenant, name):
        storage.take(tenant.pk, "scenarios", size)
    scenario = Scenario.objects.create(
        tenant=tenant,
        scenario_id=scenario_id,
        version=_next_version(tenant, scenario_id, newest),
        sha256=sha256,
        file=name,
        size_bytes=size,
        config=config,
        inspection=inspection,
    )
    return scenario, True


def delete_versions(tenant_id: str | None, rows: Sequence[Scenario]) -> None:
    """Delete one owner's rows, and count what they took no more; part of a transaction. Their files stay.

    Raises ApiError 409 scenario.in_use while something else than a job needs one of them.
    """
    for name in sorted({str(row.file) for row in rows}):
        lock(f"file:{name}")  # an upload of the same bytes counts them under the same lock
    try:
        Scenario.objects.filter(pk__in=[row.pk for row in rows]).delete()
    except ProtectedError as error:
        needing = sorted({str(row) for row in error.protected_objects})
        message = f"What has not ended uses this scenario: {', '.join(needing[:5])}. Cancel it or wait."
        raise ApiError(409, "scenario.in_use", message) from None
    if tenant_id is None:
        return
    sizes = {str(row.file): row.size_bytes for row in rows}
    still = Scenario.objects.filter(tenant=tenant_id, file__in=sizes).values_list("file", flat=True)
    storage.take(tenant_id, "scenarios", -sum(sizes[name] for name in sizes.keys() - set(still)))


def _has(tenant: Tenant, name: str) -> bool:
    with plain_sql.cursor() as cursor:
        cursor.execute(HAS, {"tenant": tenant.pk, "file": name})
        return bool(cursor.fetchone()[0])


def delete_scenario(*, tenant: Tenant, scenario_id: str, version: int | None = None) -> None:
    """Delete one version, or all, of a tenant's own scenario.

    Raises ApiError: 404 scenario.not_found, 403 scenario.shared, 409 scenario.in_use while a job that has not ended
    needs one of them.
    """
    chosen: dict[str, Any] = {"scenario_id": scenario_id} | ({} if version is None else {"version": version})
    with transaction.atomic():
        # A submission holds the same lock from reading the scenario to its insert.
        Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
        doomed = list(Scenario.objects.filter(tenant=tenant, **chosen).defer("inspection"))
        if not doomed:
            if Scenario.objects.filter(tenant=None, **chosen).exists():
                raise ApiError(403, "scenario.shared", "This scenario is shared; only the operator can delete it.")
            raise ApiError(404, "scenario.not_found", f"You have no such scenario “{scenario_id}”.")
        using = list(Job.objects.active().filter(scenario__in=doomed).values_list("job_id", flat=True)[:20])
        if using:
            message = "Jobs that have not ended use this scenario; cancel them or wait."
            details = [
                {"code": "scenario.in_use", "message": f"Job {job_id} uses it.", "job_id": str(job_id)}
                for job_id in using
            ]
            raise ApiError(409, "scenario.in_use", message, details=details)
        delete_versions(tenant.pk, doomed)
    for name in sorted({str(row.file) for row in doomed}):
        delete_unused_file(name)


def _keep(name: str, content: BinaryIO, size: int, sha256: str) -> None:
    if not files.has(name, size):
        content.seek(0)
        files.store(name, content, size=size, sha256=sha256)


def delete_unused_file(name: str) -> None:
    """After the rows are gone for good: a crash in between leaves a file too many, never one too few."""
    with transaction.atomic():
        lock(f"file:{name}")
        if not Scenario.objects.filter(file=name).exists():
            files.delete(name)


class Newest(NamedTuple):
    """Of a scenario's versions."""

    pk: int
    version: int
    sha256: str
    config: str


def _newest(tenant: Tenant | None, scenario_id: str) -> Newest | None:
    with plain_sql.cursor() as cursor:
        owner = "tenant_id = %(tenant)s" if tenant else "tenant_id IS NULL"
        cursor.execute(
            NEWEST.format(owner=owner), {"tenant": tenant.pk if tenant else None, "scenario_id": scenario_id}
        )
        row = cursor.fetchone()
    return Newest(*row) if row else None


def _next_version(tenant: Tenant | None, scenario_id: str, newest: Newest | None) -> int:
    """Never a number that a job has run under before: results would seem to come from other content."""
    used = newest.version if newest else 0
    if tenant:
        with plain_sql.cursor() as cursor:
            cursor.execute(RAN, {"tenant": tenant.pk, "scenario_id": scenario_id})
            used = max(used, cursor.fetchone()[0] or 0)
    return used + 1


def lock(key: str) -> None:
    """An advisory lock until the transaction ends."""
    with plain_sql.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
