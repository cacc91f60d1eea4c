"""What is more than nginx takes over at once keeps a thread while it is read: it holds a place, or is refused."""

import gzip

import pytest
from django.db import connection
from django.utils import timezone

from simulations.edges.folding import fold_ended
from simulations.held import TAKEN_OVER, places
from tests.simulations.edges.conftest import deliver, keep
from tests.simulations.studies.conftest import body, cluster, kpis_of, submit, wide  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
LARGE = b'{"ids": [], "shape": [%s0]}' % (b"0, " * (TAKEN_OVER // 3))


@pytest.fixture(autouse=True)
def own_connection(monkeypatch):
    """It stays open as answers are closed."""
    monkeypatch.setattr(connection, "close_if_unusable_or_obsolete", lambda: None)


def test_a_large_network_holds_a_place_unless_it_is_sent_packed(api, job, settings):
    settings.LOG_FOLLOWERS = 2  # one of this tenant
    packed = gzip.compress(LARGE, mtime=0)
    keep(job, "edges.bin.gz", b"")
    keep(job, "network.json.gz", packed)
    address, before = f"/jobs/{job.pk}/network.json", places.taken
    held = api.get(address)
    assert places.taken == before + 1
    refused = api.get(address)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "answers.too_many")
    as_kept = api.get(address, HTTP_ACCEPT_ENCODING="gzip")
    assert (as_kept.content, as_kept["Content-Encoding"]) == (packed, "gzip")
    assert b"".join(held) == LARGE
    assert (held["ETag"], held["Content-Type"]) == (as_kept["ETag"], "application/json")
    held.close()
    assert places.taken == before


def test_a_studys_files_hold_a_place_while_they_are_made_and_sent(
    api,
    submit,  # noqa: F811
    cluster,  # noqa: F811
    wide,  # noqa: F811
    settings,
):
    study = submit(seeds={"first": 1, "count": 1})
    cluster.run(lambda job: kpis_of(deliver(job)))
    fold_ended(timezone.now(), budget_s=60)
    settings.LOG_FOLLOWERS = 2
    before = places.taken
    for name in ("archive.zip", "edges.csv", "edges.parquet", "runs.parquet"):
        address = f"/studies/{study.pk}/{name}"
        held = api.get(address)
        assert places.taken == before + 1, name
        assert api.get(address).status_code == 503, name
        assert next(iter(held))
        held.close()
        assert places.taken == before, name
