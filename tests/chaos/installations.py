"""Two installations on one cluster, as production and staging are: each with its own database, the same tenants under
other namespaces. Their reconcilers are killed again and again, and take for a stray what they find without a row. Does
either end, delete or start what is the other's?"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from types import SimpleNamespace

from django.db import connections

from clusterops.objects import manifests
from simulations.models import Job
from tests.chaos import actors, world
from tests.chaos.invariants import violations
from tests.chaos.stage import Stage, until
from tests.chaos.world import Told

DATABASES = ("sumok8", "staging")
TENANTS = ("delft", "ghent")
LIMITS = {"max_cpu": 8, "max_memory_gi": 100, "max_concurrent_jobs": 8, "max_queued_jobs": 100_000}
KINDS = ("succeed", "flaky", "sumo_failed", "mute")
KILLED_SHARE = 0.1  # of the looks at them


class Installations:
    def __init__(self, stage: Stage, *, seed: int, jobs: int) -> None:
        self.stage, self.rng, self.each = stage, random.Random(seed), max(2, jobs // len(DATABASES) // len(TENANTS))
        self.told: dict[str, dict[str, Told]] = {database: {} for database in DATABASES}
        self.ends: dict[str, Counter[str]] = {}
        self.acts: Counter[str] = Counter()
        self._reconcilers: dict[str, ForkServerProcess] = {}

    def run(self) -> None:
        manifests.GRACE_S = actors.GRACE_S
        world.forget_connections()
        self.stage.sql(f"CREATE DATABASE {DATABASES[1]} TEMPLATE {DATABASES[0]}")
        for database in DATABASES:
            with at(database):
                self._submit(database)
            self._start(database)
        deadline = time.monotonic() + 60 + sum(map(len, self.told.values()))
        while active := sum(self._count(world.active)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{active} jobs have not ended")
            if self.rng.random() < KILLED_SHARE:
                self._kill(self.rng.choice(DATABASES))
            time.sleep(0.1)
        until(lambda: not any(self._count(world.unreleased)), "every finished job is released", 30)
        until(lambda: not self.stage.our_pods() and not self.stage.jobs(), "nothing is left in the cluster", 30)

    def _submit(self, database: str) -> None:
        for name in TENANTS:
            tenant = world.make_tenant(name, **LIMITS)
            if database != DATABASES[0]:
                tenant.namespace = f"{database}-{name}"
                tenant.save()
            for _ in range(self.each):
                told = world.submit(tenant, f"{self.rng.choice(KINDS)}-{self.rng.choice(('0', '0.3', '1'))}")
                self.told[database][str(told.job_id)] = told

    def _start(self, database: str) -> None:
        log = self.stage.folder / f"reconciler-{database}.log"
        self._reconcilers[database] = actors.start("neighbour", 2.0, database, log=log)

    def _kill(self, database: str) -> None:
        process = self._reconcilers[database]
        process.kill()
        process.join()
        self.acts[f"kill the reconciler of {database}"] += 1
        self._start(database)

    def _count(self, count: Callable[[], int]) -> list[int]:
        found = []
        for database in DATABASES:
            with at(database):
                found.append(count())
        return found

    def wrong(self) -> list[str]:
        """What is wrong in each, where all that ran is either's."""
        found = []
        everybody = {job_id for told in self.told.values() for job_id in told}
        for database, told in self.told.items():
            others = everybody - told.keys()
            entries = [entry for entry in self.stage.ledger.entries if entry.job_id not in others]
            own = SimpleNamespace(entries=entries, twice=self.stage.ledger.twice)
            with at(database):
                problems = violations(own, told, {name: [(0.0, LIMITS)] for name in TENANTS})  # type: ignore[arg-type]
                self.ends[database] = Counter(Job.objects.values_list("reason", flat=True))
            found += [f"{database}: {problem}" for problem in problems]
        return found

    def close(self) -> None:
        for process in self._reconcilers.values():
            process.kill()
            process.join()


@contextmanager
def at(database: str) -> Iterator[None]:
    """This process in that installation."""
    settings, usual = connections["default"].settings_dict, connections["default"].settings_dict["NAME"]
    if database == usual:
        yield
        return
    world.forget_connections()
    settings["NAME"] = database
    try:
        yield
    finally:
        world.forget_connections()
        settings["NAME"] = usual
