"""A study's traffic per edge: folded as runs end, compared in pairs, asked for and exported."""

import csv
import io
import random
import zipfile
from contextlib import nullcontext

import pytest
import scipy
from django.utils import timezone
from pyarrow import parquet

from simulations.edges import folding
from simulations.edges.folding import fold_ended, forget_unused_networks
from simulations.edges.models import CellTraffic, FoldedRun, Network
from simulations.models import Artifact
from tests.factories import TenantFactory, issue_key
from tests.simulations.edges.conftest import IDS, SECOND, deliver, edge_file, told
from tests.simulations.studies.conftest import body, cluster, kpis_of, submit, wide  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
SEEDS = 6


def columns(job):
    """Edge a differs between the variants, edge b does not, edge =c has no traffic."""
    seed, lane = job.scenario_data["seed"], bool(job.scenario_data["options"])
    own = random.Random(f"{seed} {lane}").gauss(0, 1)
    shared = random.Random(seed).gauss(0, 20)
    loss = [360 + shared + own + (90 if lane else 0), 500 + shared + 5 * own, 0]
    return [[400 + seed, 200, 0], [2000, 1000 + own, 0], loss, [1, 2, 0], [40, 20 + seed, 0], [40, 20, 0], [0, 0, 0]]


def ended(job):
    deliver(job, edge_file(columns(job), SECOND))
    return kpis_of(job)


@pytest.fixture
def study(submit, cluster, wide):  # noqa: F811
    study = submit(seeds={"first": 1, "count": SEEDS})
    cluster.run(ended)
    return study


def losses(study, cell):
    runs = study.runs.filter(cell__name=cell).order_by("seed").select_related("job")
    return [[value / 3600 for value in columns(run.job)[2]] for run in runs]


def test_each_run_is_added_once_and_means_and_tests_are_those_of_the_runs(api, study):
    assert fold_ended(timezone.now(), budget_s=60) == 2 * SEEDS
    assert fold_ended(timezone.now()) == 0
    assert not FoldedRun.objects.exclude(problem="").exists()
    assert Network.objects.count() == 1
    assert set(CellTraffic.objects.values_list("cell__name", "runs", "pairs")) == {
        ("today", SEEDS, 0),
        ("lane", SEEDS, SEEDS),
    }
    address = f"/studies/{study.pk}/edges?metric=time_loss"
    today, lane = losses(study, "today"), losses(study, "lane")
    mean = [sum(column) / SEEDS for column in zip(*lane, strict=True)]
    answer = told(api.get(f"{address}&cell=lane&interval=0"))
    assert answer["values"] == pytest.approx(mean, rel=1e-3)
    assert (answer["runs"], answer["minus"], answer["significant"]) == (SEEDS, None, None)
    answer = told(api.get(f"{address}&cell=lane&minus=today"))
    difference = [sum(a[e] - b[e] for a, b in zip(lane, today, strict=True)) / SEEDS for e in range(3)]
    assert answer["values"] == pytest.approx(difference, rel=1e-2, abs=1e-5)
    p = [scipy.stats.ttest_rel([row[e] for row in lane], [row[e] for row in today]).pvalue for e in (0, 1)]
    assert p[0] < 1e-6
    assert answer["significant"] == [True, bool(p[1] < 0.05), False]
    assert answer["pairs"] == SEEDS


def test_mean_speed_is_all_distance_over_all_time(api, study):
    fold_ended(timezone.now(), budget_s=60)
    answer = told(api.get(f"/studies/{study.pk}/edges?metric=speed&interval=0&cell=today"))
    runs = [columns(run.job) for run in study.runs.filter(cell__name="today").select_related("job")]
    expected = [sum(run[1][e] for run in runs) / sum(run[0][e] for run in runs) * 3.6 for e in (0, 1)]
    assert answer["values"][:2] == pytest.approx(expected, rel=1e-3)
    assert answer["values"][2] is None
    curve = told(api.get(f"/studies/{study.pk}/edges/curve", {"edge": "a", "cell": "today"}))
    assert curve["series"]["speed"][0] == pytest.approx(expected[0], rel=1e-3)


def test_an_answer_that_has_not_changed_is_not_sent_again(api, study):
    fold_ended(timezone.now(), budget_s=0)
    address = f"/studies/{study.pk}/edges?minus=today"
    first = api.get(address)
    assert api.get(address, HTTP_IF_NONE_MATCH=first["ETag"]).status_code == 304
    fold_ended(timezone.now(), budget_s=60)
    assert api.get(address, HTTP_IF_NONE_MATCH=first["ETag"]).status_code == 200
    assert told(api.get(f"/studies/{study.pk}/network.json"))["ids"] == IDS


def test_what_cannot_be_used_is_told_and_not_tried_again(study):
    row = Artifact.objects.filter(name="edges.bin.gz").order_by("pk").first()
    row.file.storage.delete(row.file.name)
    assert fold_ended(timezone.now(), budget_s=60) == 2 * SEEDS
    [bad] = FoldedRun.objects.exclude(problem="")
    assert (bad.run.job_id, bad.problem) == (row.job_id, "The file is no longer in storage.")
    lane = CellTraffic.objects.get(cell__name="lane")
    assert lane.pairs == SEEDS - 1


def test_an_odd_run_does_not_keep_the_others_waiting_and_unused_networks_go(study, monkeypatch):
    odd = study.runs.order_by("place").first()
    read = folding._data_of

    def read_or_break(run):
        if run.pk == odd.pk:
            raise ZeroDivisionError
        return read(run)

    monkeypatch.setattr(folding, "_data_of", read_or_break)
    Network.objects.create(sha256="0" * 64, content=b"", edge_order="")
    assert fold_ended(timezone.now(), budget_s=60) == 2 * SEEDS
    assert FoldedRun.objects.get(run=odd).problem == "Its traffic cannot be read (ZeroDivisionError)."
    assert FoldedRun.objects.filter(problem="").count() >= SEEDS
    forget_unused_networks()
    assert [network.sha256 == "0" * 64 for network in Network.objects.all()] == [False]


def test_a_partner_whose_files_are_gone_costs_the_pair_alone(study):
    assert fold_ended(timezone.now(), budget_s=0) == 1
    row = Artifact.objects.get(name="edges.bin.gz", job=FoldedRun.objects.get().run.job)
    row.file.storage.delete(row.file.name)
    fold_ended(timezone.now(), budget_s=60)
    assert not FoldedRun.objects.exclude(problem="").exists()
    lane = CellTraffic.objects.get(cell__name="lane")
    assert (lane.runs, lane.pairs) == (SEEDS, SEEDS - 1)


def test_edges_csv_alone_and_in_the_archive(api, study):
    assert api.get(f"/studies/{study.pk}/edges.csv").json()["error"]["code"] == "edges.none"
    fold_ended(timezone.now(), budget_s=60)
    text = b"".join(api.get(f"/studies/{study.pk}/edges.csv")).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["cell"], row["edge"]) for row in rows] == [
        (cell, edge) for cell in ("today", "lane") for edge in ("a", "b/1", "'=c")
    ]
    first, last = rows[0], rows[3]
    assert (first["against"], last["against"], last["pairs"]) == ("", "today", str(SEEDS))
    assert (last["time_loss_significant"], rows[5]["speed"]) == ("true", "")
    assert float(last["time_loss_difference"]) == pytest.approx(0.025, rel=0.1)
    archive = zipfile.ZipFile(io.BytesIO(b"".join(api.get(f"/studies/{study.pk}/archive.zip"))))
    assert archive.read("edges.csv").decode() == text


def test_edges_parquet_has_types_and_reads_the_differences_once(api, study, django_assert_max_num_queries):
    fold_ended(timezone.now(), budget_s=60)
    with django_assert_max_num_queries(10):
        content = b"".join(api.get(f"/studies/{study.pk}/edges.parquet"))
    rows = parquet.read_table(io.BytesIO(content)).to_pylist()
    assert [(row["cell"], row["edge"]) for row in rows] == [
        (c, e) for c in ("today", "lane") for e in ("a", "b/1", "=c")
    ]
    assert (rows[0]["against"], rows[3]["pairs"], rows[3]["time_loss_significant"]) == (None, SEEDS, True)
    assert (rows[5]["speed"], rows[3]["time_loss_difference"]) == (None, pytest.approx(0.025, rel=0.1))


def test_not_there_and_anothers(client, api, study):
    other = {"Authorization": f"Bearer {issue_key(TenantFactory())}"}
    fold_ended(timezone.now(), budget_s=60)
    for name in ("network.json", "edges", "edges.csv", "edges.parquet", "edges/curve?edge=a"):
        assert client.get(f"/studies/{study.pk}/{name}", headers=other).status_code == 404
    for asked, code in (
        ("cell=no", "study.no_cell"),
        ("minus=no", "study.no_cell"),
        ("interval=2", "edges.no_interval"),
    ):
        assert api.get(f"/studies/{study.pk}/edges?{asked}").json()["error"]["code"] == code


def test_however_many_are_compared_with_a_run_each_difference_is_a_step_of_its_own(submit, cluster, wide):  # noqa: F811
    names = ["today", "lane", "bus", "bike"]
    study = submit(variants=[{"name": name, "scale": 1 + n / 10} for n, name in enumerate(names)], seeds=[1])
    late = study.runs.filter(cell__name="today")
    cluster.run(ended)
    late.update(status="FAILED")  # until it is run again
    fold_ended(timezone.now(), budget_s=60)
    late.update(status="SUCCEEDED")
    steps = []

    def paired():
        return set(CellTraffic.objects.filter(pairs=1).values_list("cell__name", flat=True))

    def step(told):
        steps.append((told, len(paired())))
        return nullcontext()

    assert fold_ended(timezone.now(), step, budget_s=0) == 1
    assert paired() == set()  # the time was up
    fold_ended(timezone.now(), step, budget_s=60)
    assert [before for told, before in steps if "against" in told] == [0, 1, 2]
    fold_ended(timezone.now(), budget_s=60)
    assert paired() == {"lane", "bus", "bike"}
