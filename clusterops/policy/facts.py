"""What the rules about attention are told: rows and the last pass, counted, without a word of what they mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Group:
    """So many of one kind, of one tenant or (empty) of nobody's, since then at the longest."""

    tenant_id: str = ""
    count: int = 1
    since: datetime | None = None
    detail: str = ""  # an example in words
    severe: bool = False


@dataclass(frozen=True)
class NodeFact:
    """A machine that has had time to join."""

    name: str
    ready: bool


@dataclass(frozen=True)
class Machinery:
    """One cluster, as its reconciler's last pass left word of it."""

    cluster: str = ""  # its name; empty: there is no other
    is_down: bool = False  # by an operator's word
    looked_at: datetime | None = None
    saw_cluster_at: datetime | None = None
    sees_cluster: bool = False
    pass_s: float = 0.0
    error: str = ""
    failing: int = 0
    troubles: Sequence[Group] = ()
    drift: Mapping[str, int] = field(default_factory=dict)  # in words → how many
    certificate_ends_at: datetime | None = None  # of the way to the cluster
    nodes: Sequence[NodeFact] = ()
    free_share: float | None = None  # of the volume that holds the files; of one reconciler at most


@dataclass(frozen=True)
class Waiting:
    """Jobs that the cluster has and that do not run."""

    reason: str
    group: Group
    pool_full: bool = False
    nothing_fits: bool = False


@dataclass(frozen=True)
class Failures:
    """Jobs of a tenant that failed of late with one reason; mended: one of the tenant's has succeeded since."""

    reason: str
    group: Group
    mended: bool = False


@dataclass(frozen=True)
class LineFact:
    """A tenant's line."""

    tenant_id: str
    queued: int
    oldest: datetime | None
    at_limit: str = ""  # which, in words; empty: the limits leave room
    unfit: int = 0  # that ask for more than the tenant or any machine has


@dataclass(frozen=True)
class Store:
    """What a tenant keeps of one kind."""

    tenant_id: str
    kind: str
    used: int
    limit: int


@dataclass(frozen=True)
class Facts:
    """All of them, as of `now`."""

    now: datetime
    machinery: Sequence[Machinery] = (Machinery(),)
    spaces: Sequence[Group] = ()  # severe: nothing can be started there; else the limits in force are others
    waiting: Sequence[Waiting] = ()
    failures: Sequence[Failures] = ()
    ended: Mapping[str, int] = field(default_factory=dict)  # by tenant, in the same time, cancelled ones aside
    lines: Sequence[LineFact] = ()
    stores: Sequence[Store] = ()
    webhooks: Sequence[Group] = ()
    keys: Sequence[Group] = ()
