"""What the gateway takes and gives: frozen dataclasses, so that nothing else knows Kubernetes' JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from simulations.sumo.protocol.report import RunReport


class Phase(Enum):
    """Where a run is, as far as the cluster's evidence goes."""

    WAITING = "waiting"  # a Job without a pod, or a pod that has no node or no started container
    RUNNING = "running"
    ENDING = "ending"  # decided or being deleted, the pod still in its grace period
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNREADABLE = "unreadable"  # it is there, in a shape never seen: neither alive nor dead can be said


@dataclass(frozen=True)
class NamespaceSpec:
    """What a tenant's namespace is to be."""

    tenant_id: str
    namespace: str
    max_cpu: int
    max_memory_gi: int
    max_concurrent_jobs: int
    cluster: str = ""  # its label; empty in the first
    service_url: str = ""  # where this service is another network's; empty: in the same cluster


@dataclass(frozen=True)
class NamespaceState:
    """A namespace of ours as the cluster has it now."""

    namespace: str
    tenant_id: str
    uid: str
    terminating: bool
    as_wanted: bool  # quota, defaults, isolation and role binding are what the tenant's limits ask for


@dataclass(frozen=True)
class RunSpec:
    """All that is needed to start one attempt of a job."""

    job_id: str  # 32 hex
    tenant_id: str
    namespace: str
    name: str
    attempt: int
    scenario_id: str
    cpu: int
    memory_gi: int
    description: Mapping[str, Any]  # SUMOK8_JOB of the runner contract
    token: str = field(repr=False)
    wall_s: int = 3600
    cluster: str = ""  # its label; empty in the first
    service_url: str = ""  # empty: RUNNER_URL


@dataclass(frozen=True)
class Run:
    """What the cluster says of one attempt: its Job and its newest pod, translated. All times are the cluster's."""

    name: str
    namespace: str
    job_id: str  # 32 hex
    attempt: int
    phase: Phase
    uid: str = ""  # of the Job
    tenant_id: str = ""
    reason: str = ""  # a Job.Reason value; empty when the phase says it all
    detail: str = ""  # the cluster's own words, for the message
    job_exists: bool = True  # False: only a pod is left, in its grace period or orphaned
    orphan: bool = False  # a pod that nothing owns any more: only an operator may delete it
    decided: bool = False  # the Job is Complete or Failed
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    pod_name: str = ""
    node_name: str = ""
    exit_code: int | None = None
    report: RunReport | None = None  # the runner's termination message
    deleting: bool = False  # the Job or, when it is gone, the pod has a deletionTimestamp
    ttl_s: int | None = None
    waiting_since: datetime | None = None  # since when the newest pod (or the Job, without one) waits or is stuck
    replaced_pods: int = 0  # pods of this attempt that the cluster took away and that are still listed


@dataclass(frozen=True)
class Node:
    """A machine of the cluster. CPU in cores, memory in bytes; requested and running: by all pods, whosever."""

    name: str
    ready: bool
    schedulable: bool
    conditions: tuple[str, ...]
    capacity: Mapping[str, str]
    allocatable: Mapping[str, str]
    cpu: float
    memory: float
    cpu_requested: float
    memory_requested: float
    pods_running: int
    created_at: datetime | None
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[str, ...] = ()  # keys of those that keep pods away
    cpu_of_others: float = 0.0  # requested by pods that are not ours
    memory_of_others: float = 0.0


@dataclass(frozen=True)
class ClusterSnapshot:
    """The cluster at one moment, for dashboards."""

    taken_at: datetime
    nodes: tuple[Node, ...]
    pods_by_phase: Mapping[str, int]
    jobs: Mapping[str, int]  # total, active, succeeded, failed
    runs: tuple[Run, ...] = ()
    unreadable: tuple[str, ...] = ()  # what is said of objects that are left out, in a shape never seen
    # per "namespace/name" of a Kubernetes Job: active, succeeded, failed
    job_counters: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    usage_by_namespace: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # cpu cores, memory bytes, pods
