"""The embedded cluster for tests that need one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from localcluster.cluster import LocalCluster
from localcluster.config import Image, LocalClusterConfig, Timing

# controllers as quick as they can be, but the same code as in `make demo`
QUICK = Timing(
    replacement=0.1, create_retry=0.2, image_retry=0.2, namespace=0.1, node_grace=0.3, pod_gc=0.1, disk_check=0.1
)


@pytest.fixture(scope="session")
def local_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """One running cluster for all tests; each test takes a namespace of its own. Any image name starts Python here."""
    folder: Path = tmp_path_factory.mktemp("local-cluster")
    config = LocalClusterConfig(
        data=folder / "data",
        kubeconfig=folder / "kubeconfig",
        cpu="1000",
        memory="1000Gi",
        default_image=Image(),
        images={"docker.io/library/root:test": Image(as_root=True)},
        timing=QUICK,
    )
    cluster = LocalCluster(config)
    cluster.start()
    yield cluster
    cluster.stop(stop_pods=True)
