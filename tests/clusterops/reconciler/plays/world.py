"""What a play acts on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from clusterops.gateway import MERGE, Gateway, path_of
from clusterops.models import TenantNamespace
from simulations.models import Job
from tenants.models import Tenant
from tests.clusterops.reconciler.conftest import Loop
from tests.factories import JobFactory, TenantFactory


def ago(**span: float) -> datetime:
    return timezone.now() - timedelta(**span)


@dataclass
class World:
    """A cluster, the reconciler's passes over it, and what a play may turn."""

    gateway: Gateway
    settings: Any
    patch: pytest.MonkeyPatch
    folder: Path
    loop: Loop = field(init=False)
    jobs: dict[str, Job] = field(default_factory=dict)  # by cause, where they are made together

    def __post_init__(self) -> None:
        self.loop = Loop(self.gateway)

    @contextmanager
    def setting(self, name: str, value: Any) -> Iterator[None]:
        before = getattr(self.settings, name)
        setattr(self.settings, name, value)
        yield
        setattr(self.settings, name, before)

    def tenant(self, name: str, **limits: int) -> Tenant:
        """The same one for the same name."""
        wide = {"max_concurrent_jobs": 50, "max_cpu": 1000, "max_memory_gi": 1000}
        return Tenant.objects.filter(pk=name).first() or TenantFactory(tenant_id=name, **wide | limits)

    def submit(self, tenant: Tenant, *, cpu: int = 1, memory_gi: int = 1, **fate: Any) -> Job:
        job = JobFactory(tenant=tenant, cpu_request=cpu, memory_gi=memory_gi)
        Job.objects.filter(pk=job.pk).update(scenario_data=job.scenario_data | {"options": fate})
        return job

    def sample(self) -> None:
        """A pass that looks at the machines as well, as one does each minute."""
        self.loop.memory.done_at.pop("sample", None)
        self.loop.once()

    def until(self, job: Job, reason: str, begins: str = "") -> Job:
        def holds() -> bool:
            job.refresh_from_db()
            return job.reason == reason and job.message.startswith(begins)

        if not holds():
            self.loop.until(holds)
        return job

    def until_all_ended(self) -> None:
        if Job.objects.active().exists():
            self.loop.until(lambda: not Job.objects.active().exists())

    def until_usable(self, tenant: Tenant) -> None:
        """Its namespace, without waiting for the next try's turn."""

        def holds() -> bool:
            self.loop.memory.done_at.pop(f"namespace {tenant.pk}", None)
            return not TenantNamespace.objects.get(tenant=tenant).problem

        self.loop.until(holds)

    def call(self, method: str, kind: str, namespace: str, name: str = "", body: Any = None) -> Any:
        more = {"content_type": MERGE} if method == "PATCH" else {}
        return self.gateway.api.request(method, path_of(kind, namespace, name), body=body, **more)


def dated_back(job: Job, **span: float) -> None:
    at = ago(**span)
    stamps = {name: at for name in ("dispatched_at", "dispatching_at") if getattr(job, name)}
    Job.objects.filter(pk=job.pk).update(submitted_at=at, **stamps)


def an_hour_later(tenant: Tenant) -> None:
    """What failed is no news any more."""
    Job.objects.filter(tenant=tenant, status="FAILED").update(finished_at=ago(hours=2))


Play = Callable[[World], Iterator[None]]


def entered_in(of: dict[str, Play]) -> Callable[[Play], Play]:
    """Its name is the cause's. In the order of the file, since some hold the cluster as the others left it."""

    def enter(each: Play) -> Play:
        of[each.__name__] = each
        return each

    return enter
