"""/jobs/{job_id}/network.json, /edges and /edges/curve."""

import gzip
import json

import pytest

from simulations.models import Artifact
from tests.factories import TenantFactory, issue_key
from tests.simulations.edges.conftest import IDS, keep, network, told

pytestmark = pytest.mark.django_db


def test_the_network_is_as_delivered_and_asked_for_once(api, mapped):
    address = f"/jobs/{mapped.pk}/network.json"
    answer = api.get(address)
    assert answer.content == network()
    assert json.loads(answer.content)["ids"] == IDS
    again = api.get(address, HTTP_IF_NONE_MATCH=answer["ETag"])
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "asked, values, unit",
    [
        ("metric=speed", [27, 18, 36], "km/h"),
        ("metric=speed&interval=0", [18, None, 36], "km/h"),
        ("", [0.75, 0.5, 0.5], ""),
        ("metric=density", [1.111, 0.05556, 0.005556], "veh/km"),
        ("metric=time_loss", [0.1, 0.02, 0.01], "veh-h"),
        ("metric=time_loss&per=km", [1, 0.04, 0.01], "veh-h/km"),
        ("metric=waiting&interval=0", [0.01, 0, 0], "veh-h"),
        ("metric=volume&per=km", [38, 10, 2], "veh/h"),
        ("metric=co2&interval=1", [0.5, 0.1, 0], "kg"),
    ],
)
def test_each_metric(api, mapped, asked, values, unit):
    answer = told(api.get(f"/jobs/{mapped.pk}/edges?{asked}"))
    assert [value is None for value in answer["values"]] == [value is None for value in values]
    assert [value or 0 for value in answer["values"]] == pytest.approx([value or 0 for value in values], rel=1e-3)
    assert answer["unit"] == unit
    assert answer["intervals"] == [[0, 900], [900, 1800]]
    assert answer["edge_order"] == json.loads(network())["edge_order"]


def test_one_edge_over_time(api, mapped):
    answer = told(api.get(f"/jobs/{mapped.pk}/edges/curve", {"edge": "b/1"}))
    assert answer["series"]["speed"] == [None, 18]
    assert answer["series"]["volume"] == [0, 20]
    assert (answer["length_m"], answer["limit_kmh"]) == (500, 36)
    assert api.get(f"/jobs/{mapped.pk}/edges/curve", {"edge": "z"}).json()["error"]["code"] == "edges.no_edge"


@pytest.mark.parametrize(
    "asked, status, code",
    [
        ("metric=smell", 400, "invalid"),
        ("interval=-1", 400, "invalid"),
        ("interval=2", 404, "edges.no_interval"),
        ("colour=red", 400, "invalid"),
    ],
)
def test_what_is_not_there(api, mapped, asked, status, code):
    answer = api.get(f"/jobs/{mapped.pk}/edges?{asked}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize("name", ["network.json", "edges", "edges/curve?edge=a"])
def test_none_and_anothers(client, api, mapped, name):
    other = {"Authorization": f"Bearer {issue_key(TenantFactory())}"}
    assert client.get(f"/jobs/{mapped.pk}/{name}", headers=other).status_code == 404
    Artifact.objects.filter(name="edges.bin.gz").delete()
    assert api.get(f"/jobs/{mapped.pk}/{name}").json()["error"]["code"] == "edges.none"


def test_answers_are_packed_unchanged_ones_are_not_read(api, mapped):
    Artifact.objects.filter(name="network.json.gz").delete()
    keep(mapped, "network.json.gz", gzip.compress(b'{"ids": [' + b'"x",' * 1000 + b'"y"]}'))
    answer = api.get(f"/jobs/{mapped.pk}/network.json", HTTP_ACCEPT_ENCODING="gzip")
    assert answer["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.content).startswith(b'{"ids"')


@pytest.mark.parametrize(
    "content",
    [b"", b"no gzip", gzip.compress(b"[]"), gzip.compress(b'{"ids": [1]}')],
    ids=["empty", "no gzip", "a list", "numbers for names"],
)
def test_a_pods_word_is_not_taken_for_it(api, mapped, content):
    Artifact.objects.filter(job=mapped).delete()
    keep(mapped, "edges.bin.gz", content)
    keep(mapped, "network.json.gz", content)
    for name in ("edges", "edges/curve?edge=a"):
        assert api.get(f"/jobs/{mapped.pk}/{name}").json()["error"]["code"] == "edges.none"
