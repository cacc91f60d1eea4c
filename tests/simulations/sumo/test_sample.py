from pathlib import Path

from simulations import samples
from simulations.sumo.inputs.scenario_check import check_scenario

SAMPLE = Path(samples.__path__[0]) / "midtown_peak.zip"


def test_the_sample_scenario_is_small_and_has_nothing_wrong_with_it() -> None:
    inspection = check_scenario(SAMPLE)
    assert not inspection.problems
    assert not inspection.warnings
    assert inspection.configs[inspection.config or ""].end == 6300
    assert SAMPLE.stat().st_size < 500_000
