from pathlib import Path

from tests.chaos.crashing import Crash


def test_a_step_is_a_line_however_long_its_statement(tmp_path: Path) -> None:
    crash = Crash(0, tmp_path / "steps")
    for statement in (
        'INSERT INTO "jobs" ("a")\nVALUES (1)',
        "\n  UPDATE jobs SET a = 1\n  FROM (VALUES (1)) v",
        "SELECT 1",
    ):
        crash.execute(lambda *arguments: None, statement, (), False, {})
    assert (tmp_path / "steps").read_text().splitlines() == ["INSERT jobs", "UPDATE jobs"]
