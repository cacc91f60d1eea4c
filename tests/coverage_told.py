"""`make test` tells which branches of the rules, the readings and of what we know about SUMO's files no test takes.

A plugin of pytest. To measure everything would cost each test half its time again, so it measures while the tests of
these rooms run; what their modules do when they are imported is added by a process that imports them.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import django
import pytest
from coverage import Coverage

from tests import environment

ROOT = Path(__file__).parent.parent
ROOMS = [
    "clusterops/policy",
    "clusterops/readings",
    *(f"simulations/sumo/{part}" for part in ("inputs", "protocol", "results", "run")),
]
ALSO = ("tests/clusterops/reconciler/test_odd_objects.py",)
# It joins the others into the pod's program, which its tests start as a process of its own.
ELSEWHERE = ["simulations/sumo/run/runner.py"]
FOLDER = "SUMOK8_COVERAGE"


def _measure(folder: str) -> Coverage:
    return Coverage(
        str(Path(folder) / "of"),
        data_suffix=True,
        branch=True,
        config_file=False,
        source=[str(ROOT / room) for room in ROOMS],
        omit=[str(ROOT / path) for path in ELSEWHERE],
    )


def pytest_configure(config: pytest.Config) -> None:
    """Test processes inherit the folder from the one that they work for."""
    os.environ.setdefault(FOLDER, str(environment.FOLDER / "coverage"))
    Path(os.environ[FOLDER]).mkdir(exist_ok=True)
    config.pluginmanager.register(_Plugin(_measure(os.environ[FOLDER]), hasattr(config, "workerinput")))


class _Plugin:
    def __init__(self, coverage: Coverage, is_worker: bool) -> None:
        self.coverage = coverage
        self.importing = None if is_worker else subprocess.Popen([sys.executable, "-m", __name__], cwd=ROOT)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        if item.get_closest_marker("unmeasured") or not item.nodeid.startswith(
            (*(f"tests/{room}/" for room in ROOMS), *ALSO)
        ):
            return (yield)
        self.coverage.start()
        try:
            return (yield)
        finally:
            self.coverage.stop()

    def pytest_sessionfinish(self) -> None:
        self.coverage.save()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.importing is None:
            return
        assert self.importing.wait() == 0
        whole = _measure(os.environ[FOLDER])
        whole.combine()
        terminalreporter.section("branches of rules, readings and SUMO's files that no test of theirs takes")
        whole.report(file=terminalreporter, show_missing=True, skip_covered=True)


def _import_all() -> None:
    coverage = _measure(os.environ[FOLDER])
    coverage.start()
    os.environ["DJANGO_SETTINGS_MODULE"] = "sumok8.settings"
    django.setup()
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            import_module(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    coverage.stop()
    coverage.save()


if __name__ == "__main__":
    _import_all()
