"""What a request needs to be run, and the job that it becomes: the same for one job and for a study's many."""

import secrets
import uuid
from collections.abc import Mapping
from typing import Any, cast

from django.conf import settings

from simulations import machines
from simulations.models import Job
from simulations.models.json_columns import AcceptedRequest
from simulations.sumo.inputs.scenario_check import check_config_choice
from simulations.sumo.protocol.problems import Problem
from tenants.errors import ApiError
from tenants.models import Tenant
from tenants.priority import PriorityClass


def problems_of(limits: Tenant, scenario: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[Problem]:
    """Why the tenant's limits or the scenario (the columns of its row) do not allow it; empty: they do."""
    return [*_beyond_limits(limits, wanted), *_unfit_for(scenario, wanted)]


def accepted(scenario: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The request with its defaults and its scenario's version pinned: what `Job.scenario_data` keeps."""
    return {
        **wanted,
        "scenario_version": scenario["version"],
        "sha256": scenario["sha256"],
        "config": wanted["config"] or scenario["config"],
        "seed": _seed(wanted, scenario["inspection"]),
        "time_limit_s": wanted["time_limit_s"] or min(settings.JOB_DEFAULT_TIME_LIMIT_S, settings.JOB_MAX_TIME_LIMIT_S),
    }


def new_job(limits: Tenant, scenario_pk: int, request: dict[str, Any]) -> Job:
    """A job that waits, for an accepted `request`; not saved."""
    job = Job(job_id=uuid.uuid4())
    job.k8s_job_name, job.k8s_namespace = job.name_of_attempt(1), limits.namespace
    job.tenant_id, job.scenario_id, job.cluster_id = limits.pk, scenario_pk, limits.cluster_id
    job.cpu_request, job.memory_gi = request["cpu_request"], request["memory_gi"]
    job.priority_class = class_of(request).rank
    job.priority, job.labels = request["priority"], request["labels"]
    job.scenario_data = cast(AcceptedRequest, request)
    return job


def class_of(request: Mapping[str, Any]) -> PriorityClass:
    """Requests that were accepted before there were classes name none."""
    return PriorityClass(request.get("priority_class", PriorityClass.NORMAL))


def no_scenario(wanted: Mapping[str, Any]) -> ApiError:
    version = f" with version {wanted['scenario_version']}" if wanted["scenario_version"] is not None else ""
    if sha256 := wanted.get("sha256"):
        version += f" and the bytes {sha256[:12]}…" if version else f" with the bytes {sha256[:12]}…"
    message = f"There is no scenario “{wanted['scenario_id']}”{version}; upload it with POST /scenarios."
    return ApiError(404, "scenario.not_found", message, details=[])


def _seed(wanted: Mapping[str, Any], inspection: Mapping[str, Any]) -> int:
    """The job's, else the configuration's own, else a drawn one: every run can be repeated."""
    if wanted["seed"] is not None:
        return int(wanted["seed"])
    own = inspection["configs"][wanted["config"] or inspection["config"]].get("seed")
    return secrets.randbelow(2**31) if own is None else int(own)


def _beyond_limits(limits: Tenant, wanted: Mapping[str, Any]) -> list[Problem]:
    problems = []
    for field, most, unit in (("cpu_request", limits.max_cpu, "CPUs"), ("memory_gi", limits.max_memory_gi, "Gi")):
        if wanted[field] > most:
            message = f"{field} is {wanted[field]}; this tenant may use at most {most} {unit}."
            problems.append(Problem("limits.exceeded", message, field))
    if not problems and (refusal := machines.refusal(wanted["cpu_request"], wanted["memory_gi"], limits.cluster_id)):
        problems.append(Problem("limits.no_machine", refusal, "cpu_request"))
    asked, highest = class_of(wanted), PriorityClass(limits.max_priority_class)
    if asked.rank > highest.rank:
        message = f"priority_class is {asked}; this tenant's jobs may be {highest} at most. Ask the operator for more."
        problems.append(Problem("priority_class.not_allowed", message, "priority_class"))
    return problems


def _unfit_for(scenario: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[Problem]:
    inspection = scenario["inspection"]
    if problems := check_config_choice(inspection, wanted["config"]):
        return problems
    report = inspection["configs"][wanted["config"] or inspection["config"]]
    begin = wanted["begin"] if wanted["begin"] is not None else report["begin"]
    end = wanted["end"] if wanted["end"] is not None else report["end"]
    if end is not None and end <= (begin or 0):
        message = f"The simulation would end at {end} s, before or as it begins at {begin or 0} s."
        return [Problem("time.end_before_begin", message, "end" if wanted["end"] is not None else "begin")]
    if end is not None and (wanted.get("window_begin") or 0) >= end:
        message = f"The window would begin at {wanted['window_begin']} s, when the simulation has ended ({end} s)."
        return [Problem("time.window_after_end", message, "window_begin")]
    if (until := wanted.get("window_end")) is not None and until <= (begin or 0):
        message = f"The window would end at {until} s, before or as the simulation begins at {begin or 0} s."
        return [Problem("time.window_before_begin", message, "window_end")]
    return []
