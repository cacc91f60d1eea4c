"""`python -m localcluster`: a loopback Kubernetes API whose pods are processes of this machine, in the foreground."""

import logging
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from localcluster.cluster import AlreadyRunning, LocalCluster
from localcluster.config import Autoscaler, LocalClusterConfig
from localcluster.runner_image import SumoMissing, runner_stand_in


def main() -> int:
    options = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    size = {"cpu": options.cpu} if options.cpu else {}
    if options.memory_gi:
        size["memory"] = f"{int(options.memory_gi * 1024)}Mi"
    try:
        config = LocalClusterConfig(
            data=options.data.resolve(),
            kubeconfig=options.kubeconfig.resolve(),
            port=options.port,
            default_image=runner_stand_in(),
            autoscaler=_autoscaler(options) if options.autoscale else None,
            **size,
        )
        LocalCluster(config).run(stop_pods=options.stop_pods)
    except (AlreadyRunning, SumoMissing) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="python -m localcluster",
        description=__doc__,
        epilog="example: python -m localcluster --data var/cluster --kubeconfig var/kubeconfig",
    )
    parser.add_argument("--data", type=Path, required=True, help="folder for its objects and pods")
    parser.add_argument("--kubeconfig", type=Path, required=True, help="file to write when it listens")
    parser.add_argument("--port", type=int, default=0, help="0: that of last time, or any free one")
    parser.add_argument("--cpu", help="cores of the node local-1 (default: this machine's)")
    parser.add_argument("--memory-gi", type=float, help="memory of the node local-1 (default: this machine's)")
    parser.add_argument("--stop-pods", action="store_true", help="end all pods when it stops")
    pool = Autoscaler()
    scaling = parser.add_argument_group("autoscaling, as Karpenter would")
    scaling.add_argument("--autoscale", action="store_true")
    scaling.add_argument("--node-cpu", default=pool.node_cpu)
    scaling.add_argument("--node-memory-gi", default=pool.node_memory.removesuffix("Gi"))
    scaling.add_argument("--node-delay", type=float, default=pool.node_delay_s, metavar="SECONDS")
    scaling.add_argument("--empty-after", type=float, default=pool.empty_after_s, metavar="SECONDS")
    scaling.add_argument("--pool-cpu", default=pool.pool_cpu)
    scaling.add_argument("--pool-memory-gi", default=pool.pool_memory.removesuffix("Gi"))
    return parser


def _autoscaler(options: Namespace) -> Autoscaler:
    return Autoscaler(
        node_cpu=options.node_cpu,
        node_memory=f"{options.node_memory_gi}Gi",
        node_delay_s=options.node_delay,
        empty_after_s=options.empty_after,
        pool_cpu=options.pool_cpu,
        pool_memory=f"{options.pool_memory_gi}Gi",
    )


if __name__ == "__main__":
    sys.exit(main())
