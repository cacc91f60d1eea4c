"""A cluster in full swing, as rows and as a snapshot: for the dashboard's tests and for screenshots."""

import csv
import gzip
import io
import json
import math
import random
from datetime import UTC, datetime, timedelta

from django.core.files.base import ContentFile
from django.utils import timezone

from clusterops.contract import ClusterSnapshot, Node
from clusterops.models import ClusterSample, ReconcilerState
from simulations.models import Artifact, Job, JobEvent, JobLog
from tenants.models import Tenant

GI = 1024**3
NAMES = ["zurich-peak", "harbour-tunnel", "ring-road-2035", "tram-priority", "school-streets", "bridge-closure"]
CITIES = ["zurich", "tampere", "ghent", "leipzig", "graz", "porto", "utrecht", "tu-delft", "ethz-ivt", "metro-plan"]
WAITS = [
    ("QUEUED", "Waiting for a free slot: 2 of 2 jobs run."),
    ("WAITING_FOR_NODE", "A machine is being started; this usually takes 2 to 5 minutes."),
    ("STARTING", "The simulation's container is starting."),
]
FAILURES = [
    ("OUT_OF_MEMORY", "The run needed more than its 4 Gi of memory. Submit it again with memory_gi 8."),
    ("SUMO_FAILED", "SUMO stopped: Edge 'E12' is not known in vehicle 'bus_4'. Correct the route and upload it again."),
    ("TIME_LIMIT", "Stopped after 4 h at simulated time 5,400 s of 7,200 s. Ask for a longer time_limit_s."),
]

TROUBLE = {
    "what": "job 0f3c", "since": "2026-01-01T00:00:00Z", "times": 9, "error": "RuntimeError: <broken>",
    "next_try_at": "2026-01-01T00:20:00Z",
}  # fmt: skip


def fill_troubles() -> None:
    counts = {"failing": 1, "unreadable": 2}
    ReconcilerState.objects.update_or_create(pk=1, defaults={"counts": counts, "troubles": [TROUBLE]})


def snapshot(nodes: int = 6) -> ClusterSnapshot:
    now = datetime.now(UTC)
    machines = []
    for n in range(nodes):
        ready, schedulable = n != 2, n != 3
        cpu = 15.5 if n % 3 else 7.9
        machines.append(
            Node(
                name=f"node-{n:02d}.pool-a.example.net",
                ready=ready,
                schedulable=schedulable,
                conditions=("Ready",) if ready else (),
                capacity={"cpu": "16", "memory": "64Gi"},
                allocatable={"cpu": f"{cpu}", "memory": "60Gi"},
                cpu=cpu,
                memory=60.0 * GI,
                cpu_requested=min(cpu, 3.5 * n) if ready else 0,
                memory_requested=min(60, 9 * n) * GI if ready else 0,
                pods_running=2 * n if ready else 0,
                created_at=now - (timedelta(minutes=1) if n == 2 else timedelta(hours=5 * n + 1)),
            )
        )
    return ClusterSnapshot(
        taken_at=now,
        nodes=tuple(machines),
        pods_by_phase={"Running": 14, "Pending": 3, "Succeeded": 12},
        jobs={"total": 29, "active": 17, "succeeded": 11, "failed": 1},
    )


def fill(*, tenants: int = 12, jobs: int = 240, minutes: int = 60) -> list[Job]:
    """Rows of a busy morning; returns the jobs. Repeatable: the same numbers every time."""
    dice = random.Random(7)
    now = timezone.now()
    owners = Tenant.objects.bulk_create(
        Tenant(
            tenant_id=name, namespace=name, max_cpu=dice.choice([8, 16, 32]), max_memory_gi=64, max_concurrent_jobs=6
        )
        for name in (CITIES[n] if n < len(CITIES) else f"tenant-{n:03d}" for n in range(tenants))
    )
    rows = Job.objects.bulk_create(_job(dice, owners, n, now) for n in range(jobs))
    JobEvent.objects.bulk_create(event for job in rows[:500] for event in _events(job))
    ClusterSample.objects.bulk_create(_sample(n, now) for n in range(minutes))
    ReconcilerState.objects.update_or_create(
        pk=1,
        defaults={
            "pass_started_at": now - timedelta(seconds=4),
            "pass_finished_at": now - timedelta(seconds=3),
            "pass_duration_s": 0.42,
            "passes": 512,
            "cluster_reachable": True,
            "last_success_at": now - timedelta(seconds=3),
        },
    )
    return rows


def _job(dice: random.Random, owners: list[Tenant], n: int, now: datetime) -> Job:
    tenant = dice.choice(owners[: max(2, len(owners) * 3 // 4)])
    status = (
        "RUNNING"
        if n < 9
        else "PENDING"
        if n < 20
        else "FAILED"
        if n < 23
        else dice.choices(Job.TERMINAL, [88, 8, 4])[0]
    )
    name = dice.choice(NAMES)
    job = Job(
        tenant=tenant,
        status=status,
        k8s_namespace=tenant.namespace,
        submitted_at=now - timedelta(minutes=n * 3 + 1),
        cpu_request=dice.choice([1, 2, 4]),
        memory_gi=dice.choice([2, 4, 8]),
        labels={"study": "peak-hour"},
        scenario_data={
            "scenario_id": name,
            "scenario_version": 3,
            "seed": 42 + n,
            "begin": 0,
            "end": 7200,
            "time_limit_s": 14400,
        },
    )
    job.k8s_job_name = f"sim-{job.job_id.hex}"
    if status == "PENDING":
        job.reason, job.message = WAITS[n % 3]
        return job
    job.started_at = job.dispatched_at = job.submitted_at + timedelta(seconds=40)
    job.node_name, job.pod_name = "node-01.pool-a.example.net", f"{job.k8s_job_name}-x7k2p"
    if status == "RUNNING":
        job.reason, job.message = "RUNNING", "The simulation is running."
        job.progress = _progress(n)
        return job
    job.finished_at = min(job.started_at + timedelta(seconds=dice.randint(60, 900)), now)
    if n < 23:
        job.finished_at = now - timedelta(minutes=n)
    job.released_at = job.finished_at
    if status == "FAILED":
        job.reason, job.message = dice.choice(FAILURES)
        job.exit_code = 66
    elif status == "CANCELLED":
        job.reason, job.message = "CANCELLED", "Cancelled as asked."
    else:
        job.reason, job.message, job.exit_code = "COMPLETED", "The simulation has ended; its results are stored.", 0
        job.results = {"outcome": "succeeded", "kpis": KPIS}
    return job


KPIS = {
    "vehicles_inserted": 12403, "vehicles_arrived": 12281, "vehicles_running_at_end": 122, "vehicles_waiting_at_end": 0,
    "mean_travel_time_s": 412.7, "p95_travel_time_s": 1104, "mean_time_loss_s": 131.2, "mean_waiting_time_s": 58.4,
    "mean_speed_ms": 9.81, "mean_route_length_m": 4120.5, "teleports": 3, "collisions": 0, "co2_kg": 8123.4,
}  # fmt: skip


def _progress(n: int) -> dict[str, float | None]:
    percent = (n * 13 + 7) % 100
    return {
        "sim_time": percent * 72.0, "percent": None if n == 4 else percent, "running": 900 + 37 * n, "halting": 120 + n,
        "waiting": 0, "inserted": 4000, "arrived": 3100, "teleports": 0, "mean_speed": 8.4,
        "rtf": 21.3, "eta_s": 300 - 3 * n,
    }  # fmt: skip


def _events(job: Job) -> list[JobEvent]:
    moments = [(job.started_at, "RUNNING", "RUNNING", "The simulation is running.")] if job.started_at else []
    if job.finished_at:
        moments.append((job.finished_at, job.status, job.reason, job.message))
    return [JobEvent(job=job, at=at, status=status, reason=why, message=text) for at, status, why, text in moments]


def _sample(n: int, now: datetime) -> ClusterSample:
    wave = 0.5 + 0.5 * math.sin(n / 90)
    nodes = 3 + round(5 * wave)
    return ClusterSample(
        at=now - timedelta(minutes=n), running=round(22 * wave), queued=round(30 * wave**3), starting=2,
        nodes=nodes, nodes_ready=nodes, cpu_requested=round(60 * wave, 1), cpu_allocatable=nodes * 15.5,
        memory_requested=120 * wave * GI, memory_allocatable=nodes * 60 * GI,
    )  # fmt: skip


def store_results(job: Job, *, rows: int = 7200) -> None:
    """The files of a finished run, in the form that the runner stores."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["time", "running", "halting", "waiting", "inserted", "arrived", "teleports", "mean_speed", "extra"])
    for second in range(rows):
        running = 1800 * math.sin(math.pi * second / rows) ** 2
        halting = running * (0.15 + 0.1 * math.sin(second / 90))
        table.writerow([second, round(running), round(halting), 0, second, second, 0, f"{13 - running / 250:.2f}", 400])
    counts = [round(900 * math.exp(-(((n - 7) / 5) ** 2))) for n in range(30)]
    files = {
        "summary.csv.gz": gzip.compress(text.getvalue().encode()),
        "travel_times.json": json.dumps({"bin_s": 60, "counts": counts, "max_s": 1800}).encode(),
        "statistics.xml.gz": gzip.compress(b"<statistics/>"),
    }
    for name, data in files.items():
        artifact = Artifact(job=job, attempt=job.attempt, name=name, size_bytes=len(data), sha256="0" * 64)
        artifact.file.save(f"results/{job.job_id}/{name}", ContentFile(data))
    JobLog.objects.create(
        job=job,
        text="\n".join(f"Step #{n * 100}.00 (2ms ~= 500.00*RT, vehicles TOT {n * 40} ACT {n * 9})" for n in range(72)),
        is_final=True,
    )
