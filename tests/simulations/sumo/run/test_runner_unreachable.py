"""A runner that cannot reach the control plane says so at each try, and ends so that it is tried elsewhere."""

import pytest

from tests.ports import free_port
from tests.simulations.sumo.harness import FakeControlPlane, Pod


@pytest.fixture
def nobody() -> str:
    """An address where nothing listens."""
    return f"http://127.0.0.1:{free_port()}"


def test_the_log_tells_each_try_and_the_end_is_infrastructures(pod: Pod, nobody: str) -> None:
    pod.extra_environment["SUMOK8_URL"] = nobody
    done = pod.run(limits={**pod.description()["limits"], "wall_s": 2})
    assert done.code == 73
    assert (done.message["outcome"], done.error_codes) == ("unreachable", ["fetch.unreachable"])
    assert "127.0.0.1 refuses the connection" in done.message["errors"][0]["message"]
    tries = [event for event in done.of("phase") if event["phase"] == "unreachable"]
    assert len(tries) >= 2
    assert tries[0]["message"] == "Cannot reach the control plane: 127.0.0.1 refuses the connection"


def test_a_name_that_is_not_resolved(pod: Pod) -> None:
    pod.extra_environment["SUMOK8_URL"] = "http://sumok8-web.nowhere.invalid:8000"
    done = pod.run(limits={**pod.description()["limits"], "wall_s": 1})
    assert done.code == 73
    assert "name not resolved: sumok8-web.nowhere.invalid" in done.message["errors"][0]["message"]


def test_trouble_that_passes_is_told_to_be_over(pod: Pod, plane: FakeControlPlane) -> None:
    answers = [503]
    plane.script = lambda method, path: answers.pop() if answers and path.endswith("/scenario") else None
    done = pod.run()
    assert done.code == 0
    phases = [event["phase"] for event in done.of("phase")]
    assert phases[1:5] == ["fetching", "unreachable", "reachable", "checking"]
