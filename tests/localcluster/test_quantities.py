"""Quantities come back as a real API server prints them, whoever wrote them in whatever way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterops.readings.quantities import exact
from localcluster.quantity import canonical, parse
from tests.localcluster.kube import Kube

PRINTED = [
    ("1000", "1k"), ("1024Gi", "1Ti"), ("1000m", "1"), ("0.5", "500m"), ("1500", "1500"), ("64500m", "64500m"),
    ("1.5Gi", "1536Mi"), ("512", "512"), ("0.5Ki", "512"), ("1e3", "1e3"), ("12E4", "120e3"), ("0Gi", "0"),
    ("10000000", "10M"), ("16384000Ki", "16000Mi"),
]  # fmt: skip


@pytest.mark.parametrize("text, printed", PRINTED)
def test_the_largest_suffix_that_leaves_a_whole_number(text: str, printed: str) -> None:
    assert canonical(text) == printed


@given(st.integers(1, 10**12), st.sampled_from(["m", "", "k", "M", "Ki", "Mi", "Gi", "e3", "E-2"]))
def test_printing_changes_no_value_and_settles(number: int, suffix: str) -> None:
    text = f"{number}{suffix}"
    assert parse(canonical(text)) == parse(text) == exact(text) == exact(canonical(text))
    assert canonical(canonical(text)) == canonical(text)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_quotas_and_limits_are_printed_anew_at_every_writing(kube: Kube, method: str) -> None:
    quota = {"metadata": {"name": "quota"}, "spec": {"hard": {"requests.cpu": "1000", "requests.memory": "1024Gi"}}}
    limits = {"metadata": {"name": "limits"}, "spec": {"limits": [{"type": "Container", "default": {"cpu": "0.25"}}]}}
    for kind, body in (("resourcequotas", quota), ("limitranges", limits)):
        kube.ok("POST", kube.at(kind), {**body, "spec": {} if method == "PATCH" else body["spec"]})
        if method == "PATCH":
            merge = "application/merge-patch+json"
            kube.ok("PATCH", kube.at(kind, body["metadata"]["name"]), body, content_type=merge)
    hard = kube.ok("GET", kube.at("resourcequotas", "quota"))["spec"]["hard"]
    assert hard == {"requests.cpu": "1k", "requests.memory": "1Ti"}
    assert kube.ok("GET", kube.at("limitranges", "limits"))["spec"]["limits"][0]["default"] == {"cpu": "250m"}
