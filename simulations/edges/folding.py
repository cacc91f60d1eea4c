"""The reconciler's part: what a study's ended runs delivered is added to their cells' sums, each run once, and then
its difference to the run of the same seed that it is compared with, once both are added.

It has a time box, and nothing else waits for it. One process folds: the one that holds the reconciler's lock, or held
it a moment ago, so that each addition asks under a lock whether it was made.
"""

from __future__ import annotations

import hashlib
import logging
import time
from array import array
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from simulations import files as storage
from simulations.edges import files, sums
from simulations.edges.answers import traffic_of
from simulations.edges.models import CellTraffic, FoldedRun, Network
from simulations.edges.stored import ids_of
from simulations.models import Artifact
from simulations.studies.models import Cell, Study, StudyRun
from simulations.sumo.inputs.options import EDGES
from simulations.sumo.protocol.edge_file import EdgeFile, order_of
from tenants.errors import ApiError

Isolate = Callable[[str], AbstractContextManager[Any]]
BUDGET_S = 1.0  # of a pass
AT_ONCE = 50  # runs looked at in a pass
LOOKS_BACK = timedelta(days=1)  # at studies that have ended
# Of studies that were deleted, or of a run that proved unusable. By key: the content is not read for it.
UNUSED = "DELETE FROM edge_networks n WHERE NOT EXISTS (SELECT FROM edge_cells c WHERE c.network_id = n.sha256)"
log = logging.getLogger(__name__)


class Unusable(Exception):
    """Why a run cannot be added."""


def fold_ended(now: datetime, isolate: Isolate = nullcontext, *, budget_s: float = BUDGET_S) -> int:
    """Add what ended; how many runs. What the time box leaves is for the next pass."""
    until = time.monotonic() + budget_s
    studies = Study.objects.filter(Q(status__in=Study.ACTIVE) | Q(finished_at__gte=now - LOOKS_BACK))
    if not studies.exists():
        return 0
    waiting = StudyRun.objects.filter(
        study__in=studies.values("pk"),
        status=StudyRun.Status.SUCCEEDED,
        job__isnull=False,
        folded=None,
        cell__request__outputs__contains=[EDGES],
    ).select_related("cell", "job")
    folded = 0
    for run in waiting.order_by("study_id", "place")[:AT_ONCE]:
        with isolate(f"traffic of run {run.pk}"):
            fold(run)
            folded += 1
        if time.monotonic() > until:
            break
    for one in _unpaired(studies)[:AT_ONCE]:
        if time.monotonic() > until:
            break
        with isolate(f"traffic of run {one.pk} against another"):
            pair(one)
    return folded


def forget_unused_networks() -> None:
    """Those that nothing is drawn on."""
    with connection.cursor() as cursor:
        cursor.execute(UNUSED)


def fold(run: StudyRun) -> None:
    """Raises ApiError 503 while storage does not answer: then it is tried again."""
    problem = ""
    try:
        data = _data_of(run)
        network = _network_of(run, data)
        with transaction.atomic():
            _add(run.cell, network, data)
            FoldedRun.objects.create(run=run, paired=run.cell.against is None)
            return
    except Unusable as error:
        problem = str(error)
    except ApiError as error:
        if error.status_code >= 500:
            raise
        problem = error.message
    except (DatabaseError, OSError):
        raise
    except Exception as error:  # a pod made the files: whatever is odd about them, other runs are not kept waiting
        log.exception("the traffic of run %s is left out", run.pk)
        problem = f"Its traffic cannot be read ({type(error).__name__})."
    FoldedRun.objects.create(run=run, problem=problem[:300])


def _unpaired(studies: QuerySet[Study]) -> QuerySet[FoldedRun]:
    """Those whose other run is added as well."""
    other = FoldedRun.objects.filter(
        problem="",
        run__job__isnull=False,
        run__study=OuterRef("run__study"),
        run__seed=OuterRef("run__seed"),
        run__cell__position=OuterRef("run__cell__against"),
    )
    rows = FoldedRun.objects.filter(
        Exists(other), paired=False, run__job__isnull=False, run__study__in=studies.values("pk")
    )
    return rows.select_related("run__cell", "run__job").order_by("run__study_id", "run__place")


def pair(one: FoldedRun) -> None:
    """Once, whatever comes of it. Raises ApiError 503 while storage does not answer: then it is tried again."""
    run = one.run
    assert run.cell.against is not None
    others = StudyRun.objects.select_related("cell", "job")
    other = others.get(study=run.study_id, seed=run.seed, cell__position=run.cell.against)
    one.paired = True
    try:
        ours, theirs = _data_of(run), _data_of(other)
        with transaction.atomic():
            if FoldedRun.objects.select_for_update().filter(pk=one.pk, paired=False).exists():
                _add_pair(run.cell, ours, theirs, base=other.cell)
                one.save(update_fields=["paired"])
            return
    except ApiError as error:
        if error.status_code >= 500:
            raise
        # Its files have been deleted since: that costs a pair, not the run.
    except (DatabaseError, OSError):
        raise
    except Exception:  # whatever is odd about the two, other runs are not kept waiting
        log.exception("the difference of run %s to another is left out", run.pk)
    one.save(update_fields=["paired"])


def _data_of(run: StudyRun) -> EdgeFile:
    assert run.job
    return sums.bounded(files.edge_data(files.delivered(run.job).edges))


def _network_of(run: StudyRun, data: EdgeFile) -> Network:
    """The one kept, or this run's if it is the first of its kind."""
    assert run.job
    artifact: Artifact = files.delivered(run.job).network
    if known := Network.objects.filter(sha256=artifact.sha256).defer("content").first():
        network = known
    else:
        ids = files.checked_network(artifact)["ids"]
        content = storage.read(str(artifact.file), at_most=files.MAX_PACKED_NETWORK_BYTES)
        if hashlib.sha256(content).hexdigest() != artifact.sha256:
            raise Unusable("Its network is not what was delivered.")
        network = Network(sha256=artifact.sha256, content=content, edge_order=order_of(ids))
        if len(ids) == data.edges and network.edge_order == data.edge_order:
            network.save(force_insert=True)
    if network.edge_order != data.edge_order:
        raise Unusable("Its traffic is of another network than it delivered.")
    return network


def _add(cell: Cell, network: Network, data: EdgeFile) -> None:
    rows = CellTraffic.objects.select_related("network").defer("differences", "network__content")
    row = rows.select_for_update(of=("self",)).filter(cell=cell).first()
    if row is None:
        row = CellTraffic(cell=cell, network=network, intervals=[], columns=list(data.columns), seconds=[], sums=b"")
    if row.network.edge_order != data.edge_order or list(row.columns) != list(data.columns):
        raise Unusable("Other runs of its cell had another network or other figures.")
    before = sums.unpacked(row.sums) if row.sums else array("f")
    together = sums.joined(row.intervals, row.seconds, data)
    if together is None:
        raise Unusable("Other runs of its cell had other intervals.")
    row.intervals, row.seconds = together
    row.sums = sums.packed(sums.added(before, data))
    row.runs += 1
    row.save()


def _add_pair(cell: Cell, ours: EdgeFile, theirs: EdgeFile, *, base: Cell) -> None:
    """Edges are matched by their id where the networks differ."""
    rows = CellTraffic.objects.select_related("network").defer("sums", "network__content")
    row, other = rows.select_for_update(of=("self",)).get(cell=cell), rows.get(cell=base)
    if row.network.edge_order == other.network.edge_order:
        places: Sequence[int] = range(ours.edges)
    else:
        known = {edge: place for place, edge in enumerate(ids_of(other.network))}
        places = [known.get(edge, -1) for edge in ids_of(row.network)]
    columns = tested(row.columns, other.columns)
    kept = sums.unpacked(row.differences) if row.differences else array("f")
    kept = sums.with_pair(kept, traffic_of(ours, None), traffic_of(theirs, None), places, columns)
    row.differences, row.pairs = sums.packed(kept), row.pairs + 1
    row.save(update_fields=["differences", "pairs"])


def tested(ours: Sequence[str], theirs: Sequence[str]) -> list[str]:
    return [name for name in sums.TESTED if name in ours and name in theirs]
