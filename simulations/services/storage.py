"""What a tenant may keep, counted in the transaction that stores or deletes.

Two bounds, not one: results come hours after a job was accepted, so scenarios that fill the space must not cost a run
its results, while a scenario that finds no room is refused to somebody who can make some.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from django.conf import settings
from django.db import connection, transaction
from django.db.models import BigIntegerField, F, Q, Value
from django.db.models.functions import Cast, Coalesce, Greatest
from django.template.defaultfilters import filesizeformat

from simulations.models import Artifact, Scenario, TenantStorage
from tenants import plain_sql
from tenants.errors import ApiError
from tenants.models import Tenant

Kind = Literal["results", "scenarios"]
COLUMNS: dict[Kind, str] = {"results": "result_bytes", "scenarios": "scenario_bytes"}
LIMITS: dict[Kind, str] = {"results": "max_result_gib", "scenarios": "max_scenario_gib"}
GIB = 1024**3
WARN_AT = 0.8
KEPT_NAMES = [*(f"storage__{column}" for column in COLUMNS.values()), *LIMITS.values()]
KEPT = f"""
SELECT {", ".join([*(f"s.{column}" for column in COLUMNS.values()), *(f"t.{name}" for name in LIMITS.values())])}
FROM tenants t LEFT JOIN tenant_storage s USING (tenant_id) WHERE t.tenant_id = %(tenant)s
"""  # noqa: S608 - names of our own
# The limit is no column of the row, so PostgreSQL looks at it once, and at the row's latest bytes under its lock.
TAKE: dict[Kind, str] = {
    kind: f"""
UPDATE tenant_storage SET {column} = {column} + %(more)s WHERE tenant_id = %(tenant)s AND {column} <= coalesce(
  (SELECT {LIMITS[kind]}::bigint * {GIB} FROM tenants WHERE tenant_id = %(tenant)s), %(default)s::bigint
) - %(more)s::bigint
"""  # noqa: S608 - names of our own
    for kind, column in COLUMNS.items()
}
BINARY = re.compile(r"\xa0([KMGTP])B")  # as Django names them


@dataclass(frozen=True)
class Use:
    """Bytes of one kind that a tenant keeps, and may keep."""

    kind: Kind
    used_bytes: int
    limit_bytes: int

    @property
    def warning(self) -> str:
        """A sentence from 80 % on, else empty."""
        if self.used_bytes < WARN_AT * self.limit_bytes:
            return ""
        advice = "delete versions that you do not need" if self.kind == "scenarios" else "ask the operator to prune"
        share = f"{self.used_bytes / self.limit_bytes:.0%} of {size(self.limit_bytes)}" if self.limit_bytes else "all"
        return f"Your {self.kind} take {share}; beyond that new ones are refused: {advice}."


def size(number: int) -> str:
    """Bytes for people, by powers of 1024 and named so."""
    return BINARY.sub(r" \1iB", filesizeformat(number)).replace("\xa0", " ")


def default_of(kind: Kind) -> int:
    """Bytes that a tenant may keep where neither it nor its plan has a limit."""
    return settings.TENANT_MAX_RESULT_BYTES if kind == "results" else settings.TENANT_MAX_SCENARIO_BYTES


def uses_of(tenant_id: str) -> list[Use]:
    """Results, then scenarios; one query. Of a tenant that is gone, nothing is kept."""
    with plain_sql.cursor() as cursor:
        cursor.execute(KEPT, {"tenant": tenant_id})
        row = cursor.fetchone()
    return uses_in(dict(zip(KEPT_NAMES, row, strict=True)) if row else {})


def uses_in(row: Mapping[str, int | None]) -> list[Use]:
    """The same from values of a tenant's row and, as `storage__…`, of its TenantStorage."""
    uses = []
    for kind, column in COLUMNS.items():
        gib = row.get(LIMITS[kind])
        limit = default_of(kind) if gib is None else gib * GIB
        uses.append(Use(kind, row.get(f"storage__{column}") or 0, limit))
    return uses


def nearly_full() -> list[tuple[str, Use]]:
    """(tenant, what it keeps) of all that are at WARN_AT or beyond; one query."""
    bounds = {
        kind: Coalesce(Cast(LIMITS[kind], BigIntegerField()) * GIB, default_of(kind), output_field=BigIntegerField())
        for kind in COLUMNS
    }
    full = Q()
    for kind, column in COLUMNS.items():
        full |= Q(**{f"storage__{column}__gte": WARN_AT * bounds[kind]})
    names = ("pk", *(f"storage__{column}" for column in COLUMNS.values()), *LIMITS.values())
    found = Tenant.objects.filter(full).values(*names)
    return [(row["pk"], use) for row in found for use in uses_in(row) if use.warning]


def expect(tenant_id: str, kind: Kind, more: int) -> None:
    """Before bytes are read that could not be kept. Raises ApiError 413."""
    use = _use(tenant_id, kind)
    if more > 0 and use.used_bytes + more > use.limit_bytes:
        raise _full(use)


def _use(tenant_id: str, kind: Kind) -> Use:
    return next(use for use in uses_of(tenant_id) if use.kind == kind)


def take(tenant_id: str, kind: Kind, more: int) -> None:
    """Count `more` bytes, in the transaction that records them; fewer than 0 always go. Raises ApiError 413."""
    if more <= 0:
        column = COLUMNS[kind]
        changed = Greatest(F(column) + more, Value(0))
        TenantStorage.objects.filter(tenant=tenant_id).update(**{column: changed})
        return
    if _counted(tenant_id, kind, more):
        return
    TenantStorage.objects.bulk_create([TenantStorage(tenant_id=tenant_id)], ignore_conflicts=True)
    if not _counted(tenant_id, kind, more):
        raise _full(_use(tenant_id, kind))


def _counted(tenant_id: str, kind: Kind, more: int) -> bool:
    """Whether there is a row, and room in it. One statement."""
    with plain_sql.cursor() as cursor:
        cursor.execute(TAKE[kind], {"tenant": tenant_id, "more": more, "default": default_of(kind)})
        return bool(cursor.rowcount)


def _full(use: Use) -> ApiError:
    message = f"Your {use.kind} would take more than the {size(use.limit_bytes)} that a tenant may keep."
    hint = "Delete scenario versions that you do not need." if use.kind == "scenarios" else "Ask the operator for room."
    return ApiError(413, f"{use.kind}.tenant_limit", f"{message} {hint}")


def mend_counts() -> list[str]:
    """Count anew from the rows; the tenants whose counts were wrong. Safe while everything runs: whoever stores
    meanwhile waits for the lock, and adds to what was counted without it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tenant_storage (tenant_id, result_bytes, scenario_bytes) "
            "SELECT tenant_id, 0, 0 FROM tenants ON CONFLICT DO NOTHING"
        )
    return [tenant_id for tenant_id in Tenant.objects.values_list("pk", flat=True) if _mend(tenant_id)]


@transaction.atomic
def _mend(tenant_id: str) -> bool:
    row = TenantStorage.objects.select_for_update().filter(tenant=tenant_id).first()
    if row is None:  # the tenant was erased meanwhile
        return False
    with connection.cursor() as cursor:
        cursor.execute(COUNTED, {"tenant": tenant_id})
        results, scenarios = cursor.fetchone()
    if (row.result_bytes, row.scenario_bytes) == (results, scenarios):
        return False
    row.result_bytes, row.scenario_bytes = results, scenarios
    row.save()
    return True


COUNTED = f"""
SELECT (SELECT coalesce(sum(a.size_bytes), 0)::bigint FROM {Artifact._meta.db_table} a
        JOIN jobs j ON j.job_id = a.job_id WHERE j.tenant_id = %(tenant)s),
       (SELECT coalesce(sum(size_bytes), 0)::bigint FROM
        (SELECT DISTINCT file, size_bytes FROM {Scenario._meta.db_table} WHERE tenant_id = %(tenant)s) own)
"""  # noqa: S608 - names of our own
