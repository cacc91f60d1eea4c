"""A cluster to install on: the local cluster, taught the kinds that only an installation has."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clusterops.gateway import KubeApi
from clusterops.install import installer
from localcluster import lifecycle, resources, store
from localcluster.resources import Resource
from tests.local_clusters import running

INSTALLED_KINDS = [
    Resource("apps", "deployments", "Deployment", generation=True),
    Resource("apps", "statefulsets", "StatefulSet", generation=True),
    Resource("", "services", "Service"),
    Resource("discovery.k8s.io", "endpointslices", "EndpointSlice"),
    Resource("", "persistentvolumeclaims", "PersistentVolumeClaim"),
    Resource("policy", "poddisruptionbudgets", "PodDisruptionBudget", generation=True),
    Resource("networking.k8s.io", "ingresses", "Ingress", generation=True),
    Resource(
        "admissionregistration.k8s.io", "validatingadmissionpolicies", "ValidatingAdmissionPolicy", namespaced=False
    ),
    Resource(
        "admissionregistration.k8s.io",
        "validatingadmissionpolicybindings",
        "ValidatingAdmissionPolicyBinding",
        namespaced=False,
    ),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a running cluster."""
    folder = tmp_path_factory.mktemp("cluster")
    with pytest.MonkeyPatch.context() as patch:
        every = (*resources.ALL, *INSTALLED_KINDS)
        for module in (lifecycle, store):
            patch.setattr(module, "ALL", every)
        for kind in INSTALLED_KINDS:
            patch.setitem(resources.BY_PATH, (kind.group, kind.version, kind.plural), kind)
        with running(folder) as cluster:
            yield cluster.config.kubeconfig


@pytest.fixture
def api(cluster: Path, monkeypatch: pytest.MonkeyPatch) -> KubeApi:
    monkeypatch.setattr(installer, "POLL_S", 0.05)
    return KubeApi(str(cluster))
