"""A study from its request: every cell checked, all runs written, in a number of statements that does not grow."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from simulations.services.acceptance import accepted, no_scenario, problems_of
from simulations.studies.expansion import Expansion, ExpansionFault, PlannedCell
from simulations.studies.limits import MAX_ACTIVE, MAX_LISTED
from simulations.studies.models import Cell, Study, StudyRun
from tenants.errors import ApiError
from tenants.models import Tenant

# One row per scenario asked for: what `ScenarioQuerySet.best_first` puts first.
SCENARIOS = """
SELECT w.place, s.id, s.version, s.sha256, s.config, s.inspection::text
FROM unnest(%s::text[], %s::int[], %s::text[]) WITH ORDINALITY AS w (scenario_id, version, sha256, place)
LEFT JOIN LATERAL (
  SELECT id, version, sha256, config, inspection FROM scenarios
  WHERE (tenant_id = %s OR tenant_id IS NULL) AND scenario_id = w.scenario_id
    AND version = coalesce(w.version, version) AND scenarios.sha256 = coalesce(w.sha256, scenarios.sha256)
  ORDER BY tenant_id NULLS LAST, version DESC LIMIT 1
) s ON true
"""


@dataclass(frozen=True)
class CheckedCell:
    """A cell that can be run: its request with everything pinned but the seed."""

    planned: PlannedCell
    request: dict[str, Any]
    setting: dict[str, Any]
    scenario_pk: int


def create_study(
    *, tenant: Tenant, wanted: Mapping[str, Any], expansion: Expansion, idempotency_key: str | None = None
) -> tuple[Study, bool]:
    """Write the study `wanted` (a validated POST /studies) with all its runs; (study, whether it is new).

    Raises ApiError: 403 tenant.paused, 409 idempotency.mismatch, 422 with everything that is wrong in any cell, 429
    studies.too_many.
    """
    sha256 = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest() if idempotency_key else ""
    if idempotency_key and (first := _submitted_before(tenant, idempotency_key, sha256)):
        return first, False
    try:
        with transaction.atomic():
            limits = Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
            checked = check(limits, wanted, expansion)
            _refuse_too_many(limits)
            return _write(limits, wanted, checked, idempotency_key, sha256), True
    except IntegrityError:
        if idempotency_key and (first := _submitted_before(tenant, idempotency_key, sha256)):
            return first, False
        raise


def check(limits: Tenant, wanted: Mapping[str, Any], expansion: Expansion) -> list[CheckedCell]:
    """Every cell against the tenant's limits and its scenario. Raises ApiError 403 or 422 with all problems."""
    if limits.submissions_paused:
        raise ApiError(403, "tenant.paused", "New jobs are paused for this tenant; ask the operator when they go on.")
    if limits.refused_because:
        raise ApiError(403, "budget.reached", f"New jobs are refused for now: {limits.refused_because}")
    faults = list(expansion.faults)
    runs = len(expansion.cells) * len(wanted["seeds"])
    if runs > settings.STUDY_MAX_RUNS:
        message = f"{runs} runs; at most {settings.STUDY_MAX_RUNS} are possible."
        faults.append(ExpansionFault("study.too_many_runs", message, "seeds"))
    precision = wanted["precision"]
    if precision and precision["max_seeds"] < len(wanted["seeds"]):
        message = f"max_seeds is {precision['max_seeds']}, and {len(wanted['seeds'])} seeds are asked for already."
        faults.append(ExpansionFault("study.max_seeds", message, "precision.max_seeds"))
    checked = []
    for cell, scenario in zip(expansion.cells, scenarios_of(limits.pk, expansion.cells), strict=True):
        if scenario is None:
            missing = no_scenario(cell.body)
            faults.append(ExpansionFault(missing.code, missing.message, f"{cell.name}: scenario_id"))
            continue
        problems = problems_of(limits, scenario, cell.body)
        faults += [
            ExpansionFault(each.code, each.message, f"{cell.name}: {each.where or 'scenario_id'}") for each in problems
        ]
        if not problems:
            # The study's own seeds come in run by run; 0 stands for them.
            request = accepted(scenario, {**cell.body, "seed": 0})
            checked.append(CheckedCell(cell, request, setting_of(request, scenario["inspection"]), scenario["pk"]))
    if faults:
        raise refusal(faults)
    return checked


def refusal(faults: Sequence[ExpansionFault]) -> ApiError:
    """What is wrong in many cells for one reason is told once."""
    told: dict[tuple[str, str, str], dict[str, Any]] = {}
    for fault in faults:
        cell, _, field = fault.where.rpartition(": ")
        entry = told.setdefault((fault.code, fault.message, field), fault.as_dict())
        if cell:
            entry["where"] = field
            entry.setdefault("cells", []).append(cell)
    details = list(told.values())[:MAX_LISTED]
    message = "The study cannot be run as asked; each reason is in details."
    return ApiError(422, details[0]["code"], message, details=details)


def scenarios_of(tenant_id: str, cells: Sequence[PlannedCell]) -> list[dict[str, Any] | None]:
    """For each cell the scenario that its request names: one statement, one row per different one."""
    keys = [(cell.body["scenario_id"], cell.body["scenario_version"], cell.body["sha256"]) for cell in cells]
    distinct = list(dict.fromkeys(keys))
    if not distinct:
        return []
    with connection.cursor() as cursor:
        cursor.execute(SCENARIOS, [*(list(column) for column in zip(*distinct, strict=True)), tenant_id])
        rows = cursor.fetchall()
    found: dict[Any, dict[str, Any] | None] = {}
    for place, pk, version, sha256, config, inspection in rows:
        found[distinct[place - 1]] = pk and {
            "pk": pk, "version": version, "sha256": sha256, "config": config, "inspection": json.loads(inspection)
        }  # fmt: skip
    return [found[key] for key in keys]


def _refuse_too_many(limits: Tenant) -> None:
    active = Study.objects.active().filter(tenant=limits).count()
    if active >= MAX_ACTIVE:
        message = f"{active} studies have not ended; at most {MAX_ACTIVE} may. Cancel one or wait."
        raise ApiError(429, "studies.too_many", message, headers={"Retry-After": "60"})


def _write(
    limits: Tenant, wanted: Mapping[str, Any], checked: Sequence[CheckedCell], key: str | None, sha256: str
) -> Study:
    study = Study.objects.create(
        tenant=limits,
        name=wanted["name"],
        request={name: value for name, value in wanted.items() if name != "seeds"},
        seeds=wanted["seeds"],
        message=STARTED,
        idempotency_key=key,
        request_sha256=sha256,
    )
    cells = Cell.objects.bulk_create(
        Cell(
            study=study,
            position=each.planned.position,
            name=each.planned.name,
            variant=each.planned.variant,
            point=each.planned.point,
            against=each.planned.against,
            request={name: value for name, value in each.request.items() if name != "seed"},
            setting=each.setting,
            scenario_id=each.scenario_pk,
        )
        for each in checked
    )
    StudyRun.objects.bulk_create(planned_runs(study, cells, range(len(study.seeds))))
    return study


def setting_of(request: Mapping[str, Any], inspection: Mapping[str, Any]) -> dict[str, Any]:
    """What takes effect: the request's values, else the configuration's own."""
    own, options = inspection["configs"][request["config"]], request["options"]

    def first(*values: Any) -> Any:
        return next((value for value in values if value is not None), None)

    window = {name: request[name] for name in ("window_begin", "window_end") if request.get(name) is not None}
    return {
        "begin": first(request["begin"], own.get("begin"), 0.0),
        "end": first(request["end"], own.get("end")),
        "step_length": first(request["step_length"], options.get("step-length"), own.get("step_length"), 1.0),
        "scale": first(request["scale"], options.get("scale"), 1.0),
        **window,
    }


def planned_runs(study: Study, cells: Sequence[Cell], rounds: range) -> list[StudyRun]:
    """The runs of those rounds, seed-major: results are paired at any moment."""
    return [
        StudyRun(study=study, cell=cell, seed=study.seeds[number], place=number * len(cells) + cell.position)
        for number in rounds
        for cell in cells
    ]


STARTED = "Its runs start as slots become free: all cells of a seed, then the next seed."


def _submitted_before(tenant: Tenant, key: str, sha256: str) -> Study | None:
    """Raises ApiError 409 if the key was used for something else."""
    first = Study.objects.filter(tenant=tenant, idempotency_key=key).first()
    if first and first.request_sha256 != sha256:
        message = "This Idempotency-Key was used with another request; use a new key for a new study."
        raise ApiError(409, "idempotency.mismatch", message)
    return first
