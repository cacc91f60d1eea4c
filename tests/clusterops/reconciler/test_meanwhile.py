"""What is submitted while a pass goes on is started during it; what the pass records stays true."""

import itertools
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from clusterops.reconciler import meanwhile
from clusterops.reconciler.doorbell import Bell, Doorbell
from simulations.models import Job

pytestmark = pytest.mark.django_db


@pytest.fixture
def during(loop, monkeypatch) -> Iterator[Callable[..., None]]:
    """Do something while the next pass takes this list, and ring for submissions."""
    bell = Doorbell(loop.memory.stop)
    loop.memory.submitted = lambda: bell.take(Bell.DISPATCH)
    plans: dict[str, Callable[[], object]] = {}
    items = loop.gateway.api.items

    def planned(path, **options):
        kind = path.rsplit("/", 1)[1]
        if kind in plans:
            plans.pop(kind)()
            bell.ring(Bell.DISPATCH)
        return items(path, **options)

    monkeypatch.setattr(loop.gateway.api, "items", planned)
    loop.once()
    yield lambda kind, act: plans.update({kind: act})
    assert not plans


def made(loop) -> set[str]:
    return {name for kind, _, name in loop.gateway.api.objects if kind == "jobs"}


@pytest.mark.parametrize("kind", ["jobs", "pods"])
def test_it_is_there_before_the_pass_has_recorded_what_it_saw(loop, submit, during, monkeypatch, kind) -> None:
    there: list[set[str]] = []
    during(kind, lambda: submit())
    monkeypatch.setattr("clusterops.reconciler.one_pass.update_jobs", lambda this_pass: there.append(made(loop)))
    this_pass = loop.once()
    job = Job.objects.get()
    assert there == [{job.k8s_job_name}]
    assert [each.pk for each in this_pass.jobs] == [job.pk]


def test_its_pod_alone_ends_nothing(loop, submit, during) -> None:
    """Made after the Jobs were listed; the pod has ended before the pods were."""
    during("jobs", lambda: submit())
    loop.gateway.api.items("/api/v1/pods")
    loop.once()
    job = Job.objects.get()
    assert (job.status, job.reason, job.released_at) == ("PENDING", "STARTING", None)
    loop.until_ended(job)
    loop.once()
    job.refresh_from_db()
    assert job.status == "SUCCEEDED"
    assert job.released_at


def test_the_tenants_limits_hold(loop, submit, city, during, tmp_path) -> None:
    city.max_concurrent_jobs = 2
    city.save()
    submit(hold=str(tmp_path / "go"))
    loop.once()
    during("jobs", lambda: [submit(hold=str(tmp_path / "go")) for _ in range(3)])
    loop.once()
    loop.once()
    assert len(made(loop)) == 2
    (tmp_path / "go").touch()
    loop.until_ended(*Job.objects.all())


def test_nothing_is_begun_again_while_its_attempt_before_may_run(loop, submit, during, tmp_path, settings) -> None:
    """Given up by the pass: only that pass knows of it, so the one before must not start the next attempt."""
    job = submit(hold=str(tmp_path / "go"))
    loop.until_reason(job, "RUNNING")
    settings.NODE_LOST_AFTER_S = 0
    during("pods", lambda: submit())
    (pod,) = [found for (kind, _, _), found in loop.gateway.api.objects.items() if kind == "pods"]
    pod["status"]["conditions"] = [{"type": "Ready", "status": "False", "lastTransitionTime": "2026-01-01T00:00:00Z"}]
    loop.once()
    job.refresh_from_db()
    assert job.attempt == 2
    assert job.name_of_attempt(2) not in made(loop)
    assert len(made(loop) - {job.name_of_attempt(1)}) == 1


def test_a_pass_gives_it_one_batch_and_half_of_its_time(loop, submit, during, monkeypatch) -> None:
    monkeypatch.setattr("clusterops.reconciler.dispatch.BATCH", 2)
    monkeypatch.setattr("clusterops.reconciler.one_pass.update_jobs", lambda this_pass: counted.append(len(made(loop))))
    counted: list[int] = []
    # The first start takes ten seconds; everything else comes five seconds after it.
    clock = itertools.chain([0.0, 10.0], itertools.repeat(15.0))
    monkeypatch.setattr(meanwhile, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    during("jobs", lambda: [submit() for _ in range(5)])
    during("pods", lambda: submit())
    loop.once()
    assert counted == [2]


def test_without_a_pass_that_saw_the_cluster_nothing_is_started(loop, submit, during, monkeypatch) -> None:
    counted: list[int] = []
    monkeypatch.setattr("clusterops.reconciler.one_pass.update_jobs", lambda this_pass: counted.append(len(made(loop))))
    loop.memory.last_pass.settled = False
    during("jobs", lambda: submit())
    loop.once()
    assert counted == [0]
    assert len(made(loop)) == 1
