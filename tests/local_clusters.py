"""Local clusters of a test's own; where any will do, the fixture `local_cluster` is one for all tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from localcluster.cluster import LocalCluster
from localcluster.config import Image, LocalClusterConfig, Timing

# Controllers as quick as they can be, but the same code as in `make demo`.
QUICK = Timing(
    replacement=0.05, create_retry=0.1, image_retry=0.1, namespace=0.1, node_grace=0.3, pod_gc=0.1, disk_check=0.1
)


@contextmanager
def running(folder: Path, **config: Any) -> Iterator[LocalCluster]:
    """A quick cluster in `folder`, as large as this machine if `config` does not say. Any image name starts Python."""
    told = {"default_image": Image(), "timing": QUICK} | config
    cluster = LocalCluster(LocalClusterConfig(data=folder / "data", kubeconfig=folder / "kubeconfig", **told))
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop(stop_pods=True)
