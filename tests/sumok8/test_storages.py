"""REGION_STORAGES: what it may name, and what it must not."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from sumok8 import storages

REGIONS = ("eu", "us")
DEFAULT = storages.folder(Path("/data/media"))


def test_folders_and_buckets() -> None:
    text = "eu=/srv/eu,\n us=s3://key:se%2Fcret@results-us?region=us-east-1&endpoint=https://s3.example.org ,"
    found = storages.of_regions(text, apart_from=DEFAULT)
    assert tuple(found) == REGIONS
    assert found["eu"] == storages.folder(Path("/srv/eu"))
    expected = {
        "bucket_name": "results-us",
        "access_key": "key",
        "secret_key": "se/cret",
        "region_name": "us-east-1",
        "endpoint_url": "https://s3.example.org",
    }
    assert expected.items() <= found["us"]["OPTIONS"].items()
    assert storages.of_regions("", apart_from=DEFAULT) == {}


@pytest.mark.parametrize(
    "text",
    [
        "eu",
        "eu=srv/eu",
        "eu=s3://",
        "eu=s3://secret@bucket/folder",
        "eu=s3://bucket?reigon=secret",
        "eu=s3://bucket?secret",
        "eu=https://secret@bucket",
        "default=/secret",
        "staticfiles=/secret",
        "EU=/secret",
        "a:b=/secret",
        "eu=/srv/secret,eu=/srv/us",
        "eu=/srv/secret,us=/srv/secret/us",
        "eu=/data/media/secret",
        "eu=/data",
        "eu=s3://k:secret@bucket,us=s3://bucket?region=secret",
    ],
)
def test_what_cannot_be_meant_is_refused_without_telling_secrets(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="REGION_STORAGES") as refused:
        storages.of_regions(text, apart_from=DEFAULT)
    assert "key:secret@bucket" in str(refused.value) or "secret" not in str(refused.value)


def test_the_default_bucket_is_nobody_elses() -> None:
    with pytest.raises(ImproperlyConfigured, match="eu and the default are the same place"):
        storages.of_regions("eu=s3://bucket", apart_from=storages.bucket("bucket"))
