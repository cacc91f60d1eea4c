import gzip
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable

import pytest

from tests.simulations.sumo.harness import ENDLESS, TOO_LATE, FakeControlPlane, Pod


@pytest.mark.parametrize("trouble", [503, "reset"])
def test_passing_trouble_while_storing_is_overcome(pod: Pod, plane: FakeControlPlane, trouble: int | str) -> None:
    tried: Counter[str] = Counter()

    def once(method: str, path: str) -> int | str | None:
        tried[method + path] += 1
        first = tried[method + path] == 1
        return trouble if first and ("tripinfo" in path or path.endswith("/scenario")) else None

    plane.script = once
    done = pod.run()
    assert done.code == 0, done.stdout
    assert "tripinfo.xml.gz" in done.artifacts


@pytest.mark.parametrize("status, code", [(409, "upload.refused"), (413, "upload.refused")])
def test_a_refused_file_does_not_cost_the_others(pod: Pod, plane: FakeControlPlane, status: int, code: str) -> None:
    plane.script = lambda method, path: status if method == "PUT" and "tripinfo" in path else None
    done = pod.run()
    assert done.code == 74
    assert done.error_codes == [code]
    assert (done.message["outcome"], done.message["uploaded"]) == ("io_failed", False)
    assert {"manifest.json", "statistics.xml.gz"} <= set(done.artifacts)
    assert done.message["kpis"]["vehicles_inserted"] == 135


def test_a_cancelled_job_is_not_retried(pod: Pod, plane: FakeControlPlane) -> None:
    plane.script = lambda method, path: 410 if method == "PUT" else None
    done = pod.run()
    assert done.code == 75
    assert len([method for method, _, _ in plane.requests if method == "PUT"]) == 1


@pytest.mark.parametrize("status, code", [(401, 75), (403, 75), (404, 64), (410, 75)])
def test_a_worthless_token_ends_the_run_at_once(pod: Pod, plane: FakeControlPlane, status: int, code: int) -> None:
    plane.script = lambda method, path: status
    done = pod.run()
    assert done.code == code
    assert len([path for _, path, _ in plane.requests if path.endswith("/scenario")]) == 1


def test_progress_that_cannot_be_delivered_does_not_harm_the_run(pod: Pod, plane: FakeControlPlane) -> None:
    plane.script = lambda method, path: "reset" if path.endswith("/progress") else None
    assert pod.run().code == 0


def test_sigterm_while_running_stores_partial_results(
    pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes]
) -> None:
    plane.scenario = scenario(routes=ENDLESS, end=TOO_LATE)
    done = pod.run_and_stop('"event": "progress".*"arrived": [1-9]')
    assert done.code == 75
    assert (done.message["outcome"], done.message["uploaded"]) == ("interrupted", True)
    assert done.message["reason"] == "Interrupted."
    assert done.manifest["complete"] is False
    root = ET.fromstring(gzip.decompress(done.artifacts["tripinfo.xml.gz"]))
    assert len(root) == done.message["kpis"]["trips_finished"] > 0
    ET.fromstring(gzip.decompress(done.artifacts["statistics.xml.gz"]))


def test_sigterm_while_fetching_ends_at_once(pod: Pod, plane: FakeControlPlane) -> None:
    plane.script = lambda method, path: 503 if path.endswith("/scenario") else None
    done = pod.run_and_stop('"fetching"')
    assert done.code == 75
    assert set(done.artifacts) == {"manifest.json"}


def test_sigterm_while_storing_still_stores(pod: Pod) -> None:
    done = pod.run_and_stop('"uploading"')
    assert done.code == 0
    assert "manifest.json" in done.artifacts
