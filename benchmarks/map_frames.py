"""The map in Chromium without a GPU: first paint after its data, and frames while one pans and zooms."""

import gzip
import random
from array import array
from typing import Any

from benchmarks.chromium import opened
from benchmarks.tables import percentile

SIZES = (10_000, 100_000)
BLOCK_DM = 1500  # between two crossings
INTERVALS = 4
SECONDS = 4

# Moves by what people send, an event a frame, and keeps when each frame began. `rest` moves nothing: what this machine
# can do at the time.
MOVE = """async ([how, seconds]) => {
  const canvas = document.querySelector(".map canvas");
  canvas.scrollIntoView({ block: "center" });
  canvas.focus();
  const box = canvas.getBoundingClientRect();
  const middle = { clientX: box.left + box.width / 2, clientY: box.top + box.height / 2 };
  const send = (Kind, name, more) => {
    canvas.dispatchEvent(new Kind(name, { bubbles: true, cancelable: true, pointerId: 1, ...middle, ...more }));
  };
  const at = (x, y) => ({ clientX: middle.clientX + x, clientY: middle.clientY + y });
  canvas.setPointerCapture = () => {};
  const frames = [];
  const frame = () => new Promise(requestAnimationFrame);
  await frame();
  const begun = performance.now();
  if (how === "pan") send(PointerEvent, "pointerdown");
  for (let number = 0; performance.now() - begun < 1000 * seconds; number++) {
    frames.push(await frame());
    if (how === "pan") send(PointerEvent, "pointermove", at(300 * Math.sin(number / 20), 200 * Math.sin(number / 31)));
    if (how === "zoom") send(WheelEvent, "wheel", { ...at(90, 40), deltaY: Math.sin(number / 25) < 0 ? 40 : -40 });
  }
  if (how === "pan") send(PointerEvent, "pointerup");
  return frames.slice(1).map((time, number) => time - frames[number]);
}"""
PAINTED = "() => performance.getEntriesByName('map: first paint')[0]?.duration"


def measure() -> list[dict[str, Any]]:
    from django.contrib.auth.models import User

    from benchmarks.rows import clear
    from simulations.models import Job
    from tests.clusterops.dashboard import seed

    clear()
    jobs = [job for job in seed.fill(tenants=1, jobs=60) if job.status == Job.Status.SUCCEEDED]
    User.objects.filter(username="bench-map").delete()
    with opened(User.objects.create_superuser("bench-map")) as [fresh]:
        return [row for edges, job in zip(SIZES, jobs, strict=False) for row in _of(edges, job, fresh)]


def _of(edges: int, job: Any, fresh: Any) -> list[dict[str, Any]]:
    _deliver(job, edges)
    context = fresh()
    page = context.new_page()
    page.goto(f"/cluster/jobs/{job.pk}/")
    painted = page.wait_for_function(PAINTED, timeout=60_000).json_value()
    devtools = context.new_cdp_session(page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    rows = []
    for how in ("rest", "pan", "zoom"):
        page.wait_for_timeout(1000)
        before = _main_thread_s(devtools)
        frames = page.evaluate(MOVE, [how, SECONDS])
        spent = _main_thread_s(devtools) - before
        rows.append(
            {
                "edges": edges,
                "first paint ms": float(painted),
                "moved": how,
                "frames/s": 1000 * len(frames) / sum(frames),
                "p95 ms": percentile(frames, 0.95),
                "p99 ms": percentile(frames, 0.99),
                "longest ms": float(max(frames)),
                "main thread, ms a frame": 1000 * spent / len(frames),
            }
        )
    context.close()
    return rows


def _main_thread_s(devtools: Any) -> float:
    """The CPU time that the page's own thread has spent on tasks."""
    metrics = devtools.send("Performance.getMetrics")["metrics"]
    return float(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))


def _deliver(job: Any, edges: int) -> None:
    """A town of square blocks, both directions of each street."""
    from simulations.sumo.inputs.net_geometry import NetGeometry
    from simulations.sumo.protocol.edge_file import COLUMNS, EdgeFile, order_of
    from tests.simulations.edges.conftest import keep

    dice = random.Random(edges)
    side = round((edges / 4) ** 0.5)
    net = NetGeometry()
    for number in range(edges):
        place, way = divmod(number, 4)
        x, y = (place % side) * BLOCK_DM, (place // side) * BLOCK_DM
        far = (x + BLOCK_DM, y) if way < 2 else (x, y + BLOCK_DM)
        bend = ((x + far[0]) // 2 + dice.randint(-100, 100), (y + far[1]) // 2 + dice.randint(-100, 100))
        line = [(x, y), bend, far]
        net.ids.append(f"{place}#{way}")
        net.lines.append(line if way % 2 else line[::-1])
        net.lanes.append(1 + number % 3)
        net.limits.append(13.89)
        net.lengths.append(BLOCK_DM / 10)
        if not way and not number % 20:
            net.signals.append((x, y))
    columns = [
        [sampled, sampled * speed, sampled * 0.2, sampled * 0.1, sampled / 12, sampled / 12, sampled * 2.0]
        for sampled, speed in ((dice.expovariate(1 / 900), dice.uniform(1, 13)) for _ in range(edges))
    ]
    flat = array("f", [row[column] for column in range(len(COLUMNS)) for row in columns])
    spans = [(900.0 * n, 900.0 * (n + 1)) for n in range(INTERVALS)]
    figures = EdgeFile(
        order_of(net.ids), spans, COLUMNS, array("f", net.lengths), array("f", net.limits), flat.tobytes() * INTERVALS
    )
    keep(job, "edges.bin.gz", gzip.compress(figures.packed(), 1))
    keep(job, "network.json.gz", gzip.compress(net.as_json(), 1, mtime=0))
