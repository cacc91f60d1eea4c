"""docs/where.md names what there is: every path exists, no change touches more than four files, every room is told."""

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "where.md").read_text()
CHANGES, _, ROOMS = PAGE.partition("\n## Where is it?\n")
FOLDERS = re.compile(r"`((?:[\w.-]+/)+)`")
PATHS = re.compile(r"`((?:[\w.-]+/)+[\w.-]*\.\w+|README\.md)`")


def rows(text: str) -> list[list[str]]:
    """The cells of the table's rows, without its head."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"][2:]


def test_every_path_exists() -> None:
    named = {*PATHS.findall(PAGE), *(folder for folder in FOLDERS.findall(PAGE) if folder.count("/") > 1)}
    assert len(named) > 40
    assert not [path for path in sorted(named) if not (ROOT / path).exists()]


def test_no_change_touches_more_than_four_files() -> None:
    change, files = "", Counter[str]()
    for first, file, says in rows(CHANGES):
        change = first or change
        files[change] += 1
        assert PATHS.fullmatch(file) or FOLDERS.fullmatch(file), file
        assert says, file
    assert len(files) >= 10
    assert max(files.values()) <= 4, files.most_common(1)


def test_every_room_is_told() -> None:
    told = set(FOLDERS.findall(ROOMS))
    apps = {
        f"{file.parent.relative_to(ROOT)}/" for pattern in ("*/apps.py", "*/*/apps.py") for file in ROOT.glob(pattern)
    }
    parts = {f"{file.parent.relative_to(ROOT)}/" for file in ROOT.glob("clusterops/*/__init__.py")}
    untold = {f"clusterops/{name}" for name in ("", "management/", "migrations/", "templatetags/")}
    assert (apps | parts) - untold <= told
