"""Downloads that go on where they broke off: RFC 9110's single ranges, for every file that is stored here."""

from typing import Any

import pytest

from simulations.models import Artifact, Job
from tests.simulations.api.test_runner import Runner

pytestmark = pytest.mark.django_db
CONTENT = bytes(range(100))
WHOLE = (200, CONTENT, None)


@pytest.fixture
def address(job: Job) -> str:
    assert Runner(job.pk).store("a.bin", CONTENT).status_code == 201
    return f"/jobs/{job.pk}/results/a.bin"


def part(first: int, last: int) -> tuple[int, bytes, str]:
    return 206, CONTENT[first : last + 1], f"bytes {first}-{last}/100"


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("bytes=0-0", part(0, 0)),
        ("bytes=10-19", part(10, 19)),
        ("bytes=90-", part(90, 99)),
        ("bytes=90-5000", part(90, 99)),
        ("bytes=-5", part(95, 99)),
        ("bytes=-5000", part(0, 99)),
        ("bytes=0-99", part(0, 99)),
        ("bytes=20-10", WHOLE),
        ("bytes=-", WHOLE),
        ("bytes=1-2,5-6", WHOLE),
        ("lines=1-2", WHOLE),
        ("bytes=x", WHOLE),
        (f"bytes={'9' * 400}-", WHOLE),
    ],
)
def test_ranges(api: Any, address: str, asked: str, answered: tuple) -> None:
    answer = api.get(address, headers={"Range": asked})
    assert (answer.status_code, b"".join(answer), answer.get("Content-Range")) == answered
    assert answer["Content-Length"] == str(len(answered[1]))
    assert answer["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_beyond_the_end(api: Any, address: str, asked: str) -> None:
    answer = api.get(address, headers={"Range": asked})
    assert (answer.status_code, answer.json()["error"]["code"]) == (416, "range.not_satisfiable")
    assert answer["Content-Range"] == "bytes */100"


def test_only_of_the_same_file(api: Any, address: str) -> None:
    etag = f'"{Artifact.objects.get().sha256}"'
    for given, status in ((etag, 206), ('"other"', 200), ("Wed, 21 Oct 2026 07:28:00 GMT", 200)):
        answer = api.get(address, headers={"Range": "bytes=5-", "If-Range": given})
        assert (answer.status_code, answer["ETag"]) == (status, etag)
        assert b"".join(answer) == (CONTENT[5:] if status == 206 else CONTENT)


@pytest.mark.django_db(transaction=True)
def test_head_tells_without_sending(api: Any, address: str) -> None:
    answer = api.head(address, headers={"Range": "bytes=5-"})
    assert (answer.status_code, answer["Content-Length"]) == (200, "100")
    assert answer["Accept-Ranges"] == "bytes"
    answer.close()
    answer = api.head("/scenarios/town/archive")
    assert answer.status_code == 200
    answer.close()


def test_an_empty_file(api: Any, job: Job) -> None:
    assert Runner(job.pk).store("empty", b"", **{"Content-Length": "0"}).status_code == 201
    answer = api.get(f"/jobs/{job.pk}/results/empty", headers={"Range": "bytes=0-"})
    assert answer.status_code == 416
