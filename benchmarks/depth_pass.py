"""A pass over the database as it is, in a process of its own, whose peak memory is the pass's alone: a line of JSON."""

import json
import os
import resource
import time
from typing import Any

from benchmarks.stub_cluster import ask, served

PASSES = 3


def one_depth() -> dict[str, Any]:
    from clusterops.reconciler.one_pass import Memory, reconcile_once
    from simulations.models import Job

    rows = list(Job.objects.filter(status="RUNNING").values_list("k8s_job_name", "k8s_namespace"))
    with served(rows) as (gateway, server):
        memory = Memory()
        reconcile_once(gateway, memory)  # warm: what is due at a start or each minute is done
        memory.done_at["live logs"] = time.monotonic() + 3600

        def one_pass() -> tuple[float, float]:
            cpu, began = time.process_time(), time.perf_counter()
            reconcile_once(gateway, memory)
            return time.perf_counter() - began, time.process_time() - cpu

        still = min(one_pass() for _ in range(PASSES))
        ask(server, "finish", [name for name, _ in rows[::100]])
        busy = one_pass()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"pass s": still[0], "CPU s": still[1], "1% ended s": busy[0], "MB": peak}


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sumok8.settings")
    import django

    django.setup()
    print(json.dumps(one_depth()))
