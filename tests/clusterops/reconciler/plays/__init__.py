"""Each cause of the attention list brought about as it comes about, and mended: up to the `yield`, and after it.

What the cluster decides, the local cluster decides here; how pods end, the cluster in memory plays. Only the clock is
moved: what takes minutes is dated back.
"""

from tests.clusterops.reconciler.plays.alone import ALONE
from tests.clusterops.reconciler.plays.cluster import CLUSTER
from tests.clusterops.reconciler.plays.rows import ROWS
from tests.clusterops.reconciler.plays.runs import RUNS
from tests.clusterops.reconciler.plays.world import Play, World

__all__ = ["ALONE", "CLUSTER", "ROWS", "RUNS", "Play", "World"]
