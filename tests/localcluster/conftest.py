"""A namespace of its own for each test."""

from collections.abc import Iterator

import pytest

from localcluster.cluster import LocalCluster
from tests.localcluster.kube import Kube


@pytest.fixture
def kube(local_cluster: LocalCluster) -> Iterator[Kube]:
    yield from _own_namespace(local_cluster)


@pytest.fixture
def restricted(local_cluster: LocalCluster) -> Iterator[Kube]:
    yield from _own_namespace(local_cluster, **{"pod-security.kubernetes.io/enforce": "restricted"})


def _own_namespace(cluster: LocalCluster, **labels: str) -> Iterator[Kube]:
    kube = Kube.of(cluster, **labels)
    yield kube
    kube.token = cluster.token
    for pod in kube.items("pods"):
        kube.send("DELETE", kube.at("pods", pod["metadata"]["name"]), {"gracePeriodSeconds": 0})
    kube.send("DELETE", f"/api/v1/namespaces/{kube.namespace}")
