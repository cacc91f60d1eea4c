"""What a local cluster is made of: where it keeps its data, what its machines hold, how fast its controllers react."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Image:
    """What stands in for a container image: its environment and the Python that `python` means in it.

    `as_root`: plays an image whose user is root, which `runAsNonRoot` without a numeric user refuses. `writable`: paths
    of this machine that its containers may write to even with a read-only root; for stand-ins that note what they did.
    """

    env: dict[str, str] = field(default_factory=dict)
    python: str = sys.executable
    as_root: bool = False
    writable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Autoscaler:
    """A node pool that plays Karpenter with nodes that exist only as objects; their pods share this machine."""

    node_cpu: str = "4"
    node_memory: str = "8Gi"
    node_delay_s: float = 30.0
    empty_after_s: float = 60.0
    pool_cpu: str = "100"
    pool_memory: str = "200Gi"
    pool_name: str = "sumo"


@dataclass(frozen=True, slots=True)
class Timing:
    """Delays in seconds. The defaults keep a laptop quick; a real cluster's own values stand in the comments."""

    start: float = 0.0  # image present → container started (0.6 to 3)
    finish: float = 0.0  # container exit → pod terminal (about 1)
    replacement: float = 0.5  # a disrupted pod is gone → its replacement is made (8.5)
    create_retry: float = 1.0  # doubles up to create_retry_max after a refused pod (1, 60)
    create_retry_max: float = 60.0
    image_retry: float = 2.0  # doubles up to image_retry_max (10, 300)
    image_retry_max: float = 300.0
    namespace: float = 0.5  # a namespace starts Terminating → its content is deleted (5)
    node_grace: float = 10.0  # heartbeats stop → the node is NotReady (40)
    pod_gc: float = 1.0  # between looks for pods whose node is gone (20)
    disk_check: float = 1.0  # between looks at volumes (10 to 60)
    memory_check: float = 0.2
    continue_ttl: float = 300.0  # a continue token's life (5 to 15 minutes)
    bookmark: float = 10.0  # between bookmarks on a quiet watch (60)
    event_ttl: float = 3600.0  # an event's life (1 h)


@dataclass(frozen=True, slots=True)
class LocalClusterConfig:
    """`images`: by exact name; any other name gets `default_image`, or cannot be pulled if that is None.

    Registries under `.invalid` never resolve (RFC 2606), whatever the default.
    """

    data: Path
    kubeconfig: Path
    port: int = 0  # 0: the port of last time if it is free, else any
    cpu: str = field(default_factory=lambda: str(os.cpu_count() or 1))
    memory: str = field(default_factory=lambda: f"{_machine_memory_kib()}Ki")
    images: dict[str, Image] = field(default_factory=dict)
    default_image: Image | None = None
    autoscaler: Autoscaler | None = None
    timing: Timing = field(default_factory=Timing)
    history: int = 5000  # changes kept per kind for watches that come back

    def to_json(self) -> str:
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> LocalClusterConfig:
        raw: dict[str, Any] = json.loads(text)
        return cls(
            **raw
            | {
                "data": Path(raw["data"]),
                "kubeconfig": Path(raw["kubeconfig"]),
                "images": {name: Image(**image) for name, image in raw["images"].items()},
                "default_image": Image(**raw["default_image"]) if raw["default_image"] else None,
                "autoscaler": Autoscaler(**raw["autoscaler"]) if raw["autoscaler"] else None,
                "timing": Timing(**raw["timing"]),
            }
        )


def _machine_memory_kib() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024
